package view_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// condition is one comparison of a filter, and what it means.
type condition struct {
	text  string
	holds func(d *told) bool
}

func (w *world) condition() condition {
	p, m := oneOf(w.r, "clip", "qitech", "none"), oneOf(w.r, "acme", "bolt")
	payment := fmt.Sprintf("payments/p%d", w.r.IntN(22))
	reason := eventv1.QuarantineReason(1 + w.r.IntN(3))
	t := randomTime(w.r).Add(time.Duration(w.r.IntN(60)) * time.Second)
	received := func(op string, holds func(order int) bool) condition {
		return condition{fmt.Sprintf("receive_time %s %q", op, t.Format(time.RFC3339Nano)), func(d *told) bool {
			return !d.ReceiveTime.IsZero() && holds(d.ReceiveTime.Compare(t))
		}}
	}
	return []condition{
		{"provider = " + p, func(d *told) bool { return d.Provider == p }},
		{"merchant != " + m, func(d *told) bool { return d.Merchant != m }},
		{"mode = test", func(d *told) bool { return d.Mode == eventv1.Mode_MODE_TEST }},
		{fmt.Sprintf("payment = %q", payment), func(d *told) bool { return slices.Contains(d.payments, payment) }},
		{"quarantine_reason = " + reason.String(), func(d *told) bool { return slices.Contains(d.open, reason) }},
		{`quarantine_reason = "*"`, func(d *told) bool { return len(d.open) > 0 }},
		received(">", func(order int) bool { return order > 0 }),
		received("<=", func(order int) bool { return order <= 0 }),
	}[w.r.IntN(8)]
}

// TestDeliveriesAreThoseThatTheFilterDescribes compares pages with a model, in both directions.
func TestDeliveriesAreThoseThatTheFilterDescribes(t *testing.T) {
	for seed := range uint64(2) {
		w := &world{r: rand.New(rand.NewPCG(seed, 11))}
		v := open(t, filepath.Join(t.TempDir(), "view.db"))
		var batches []view.Batch
		for sequence := range int64(60) {
			b := w.commit(sequence + 1)
			batches = append(batches, b)
			apply(t, v, b)
		}
		for _, b := range batches[50:] { // as after a crash
			apply(t, v, b)
		}
		for range 100 {
			var text []string
			want := slices.Clone(w.all)
			for range w.r.IntN(3) {
				c := w.condition()
				text = append(text, c.text)
				want = slices.DeleteFunc(want, func(d *told) bool { return !c.holds(d) })
			}
			page(t, v, strings.Join(text, " AND "), want, 1+w.r.IntN(20), w.r.Int64N(61)<<16)
		}
	}
}

// page compares a page of deliveries below, and one above, a key.
func page(t *testing.T, v *view.View, text string, want []*told, limit int, key int64) {
	t.Helper()
	f, err := filter.Deliveries().Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	pick := func(matches func(d *told) bool) (out []view.Delivery) {
		for _, d := range want {
			if matches(d) && len(out) < limit {
				out = append(out, d.Delivery)
			}
		}
		return out
	}
	compare := func(what string, want, got []view.Delivery, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := gocmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s %q, %d of %d (-want +got):\n%s", what, text, limit, key, diff)
		}
	}
	got, err := v.DeliveriesAfter(context.Background(), key, f, limit)
	compare("above", pick(func(d *told) bool { return d.Key() > key }), got, err)
	slices.Reverse(want)
	got, err = v.Deliveries(context.Background(), view.Query{Filter: f, Before: key, Limit: limit})
	compare("below", pick(func(d *told) bool { return key == 0 || d.Key() < key }), got, err)
}

func TestDeliveryIsFoundByName(t *testing.T) {
	w, ctx := &world{r: rand.New(rand.NewPCG(1, 1))}, context.Background()
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	for sequence := range int64(30) {
		apply(t, v, w.commit(sequence+1))
	}
	for _, want := range w.all {
		got, err := v.Delivery(ctx, want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want.Delivery, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	for _, name := range []string{"", "deliveries/d31-0", "deliveries/d1-9", "deliveries/d01-0", "deliveries/d1", "deliveries/d-1-0", "events/e1"} {
		if _, err := v.Delivery(ctx, name); !errors.Is(err, view.ErrNotFound) {
			t.Errorf("%q gives %v, want ErrNotFound", name, err)
		}
	}
}

func TestStoryHasAllThatWasToldOfAPaymentInOrder(t *testing.T) {
	w, ctx := &world{r: rand.New(rand.NewPCG(2, 2))}, context.Background()
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	type line struct {
		Place    [3]int64
		Delivery string
		What     string
	}
	want := map[string][]line{}
	payments := map[int64]*eventv1.PaymentStatusChanged{}
	for sequence := range int64(60) {
		b := w.commit(sequence + 1)
		apply(t, v, b)
		for _, e := range b.Events {
			payments[e.GetCursor()] = e
			at := e.GetLedgerPosition()
			want[e.GetPayment()] = append(want[e.GetPayment()], line{[3]int64{at.GetSequence(), int64(at.GetDelivery()), int64(at.GetItem())}, e.GetDelivery(), e.GetName()})
		}
		for _, r := range b.Repeats {
			e := payments[r.Cursor]
			name := normalize.Place{Sequence: r.Sequence, Index: r.Index}.Delivery()
			want[e.GetPayment()] = append(want[e.GetPayment()], line{[3]int64{r.Sequence, int64(r.Index), int64(r.Item)}, name, "again " + e.GetName()})
		}
		for _, n := range b.Notices {
			at := n.GetLedgerPosition()
			want[n.GetPayment()] = append(want[n.GetPayment()], line{[3]int64{at.GetSequence(), int64(at.GetDelivery()), int64(at.GetItem())}, n.GetDelivery(), n.GetName()})
		}
	}
	order := func(a, b line) int {
		return cmp.Or(slices.Compare(a.Place[:], b.Place[:]), cmp.Compare(a.What, b.What))
	}
	for payment, all := range want {
		slices.SortFunc(all, order)
		for _, limit := range []int{1, 3, 1000} {
			items, truncated, err := v.Story(ctx, payment, limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []line
			for _, it := range items {
				l := line{Delivery: it.Delivery.Name, Place: [3]int64{it.Delivery.Sequence, int64(it.Delivery.Index), int64(it.Item)}}
				switch {
				case it.Event != nil:
					at := it.Event.GetLedgerPosition()
					l.What, l.Place = it.Event.GetName(), [3]int64{at.GetSequence(), int64(at.GetDelivery()), int64(at.GetItem())}
				case it.Notice != nil:
					l.What = it.Notice.GetName()
				default:
					l.What = "again " + it.RepeatOf
				}
				got = append(got, l)
			}
			slices.SortStableFunc(got, order) // a notice and its release as a repeat share a place
			if truncated != (len(all) > limit) {
				t.Errorf("%s: truncated is %v for %d of %d", payment, truncated, limit, len(all))
			}
			if limit < len(all) {
				if len(got) != limit || slices.Compare(got[0].Place[:], all[len(all)-limit].Place[:]) != 0 {
					t.Errorf("%s: %d items from %v, want %d from %v", payment, len(got), got[0].Place, limit, all[len(all)-limit].Place)
				}
				continue
			}
			if diff := gocmp.Diff(all, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", payment, diff)
			}
		}
	}
	if items, _, err := v.Story(ctx, "payments/unknown", 10); err != nil || len(items) != 0 {
		t.Errorf("an unknown payment has the story %v (%v)", items, err)
	}
}

func TestFilledViewIsAsOneThatGrew(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "view.db")
	grown, filled := open(t, filepath.Join(t.TempDir(), "grown.db")), open(t, path)
	if err := filled.BeginFill(ctx); err != nil {
		t.Fatal(err)
	}
	h := dataset.New(3)
	for range 20 {
		b := h.Batch(50)
		apply(t, grown, b)
		apply(t, filled, b)
	}
	if err := filled.EndFill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := filled.BeginFill(ctx); err == nil {
		t.Error("a view that has something in it is filled")
	}
	apply(t, filled, h.Batch(1))
	for _, text := range []string{"", "provider = clip", `delivery = "deliveries/d7-1"`} {
		q := view.Query{Filter: parseEvents(t, text), Before: 1001, Limit: 2000}
		want, err := grown.Events(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := filled.Events(ctx, q)
		if diff := gocmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("%q (-want +got):\n%s (%v)", text, diff, err)
		}
	}
}

func TestWhatWasFilledIsThereAfterReopening(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "view.db")
	v, err := view.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	v.LimitMemory(1600) // some keys are in the table, some are not
	if err := v.BeginFill(ctx); err != nil {
		t.Fatal(err)
	}
	h, names := dataset.New(3), []string{}
	for range 10 {
		b := h.Batch(20)
		apply(t, v, b)
		for _, e := range b.Events {
			names = append(names, e.GetName())
		}
	}
	if err := v.EndFill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = open(t, path)
	apply(t, v, h.Batch(20))
	if seen, err := v.Seen(ctx, names); err != nil || len(seen) != len(names) {
		t.Errorf("%d of %d events are seen (%v)", len(seen), len(names), err)
	}
}

func TestFillingThatFailedIsOfNoUseUntilItBeginsAgain(t *testing.T) {
	ctx, v, h := context.Background(), open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(3)
	if err := v.EndFill(ctx); err == nil {
		t.Error("a filling that was not begun is ended")
	}
	if err := v.BeginFill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Seen(ctx, []string{"events/e1"}); !errors.Is(err, view.ErrFilling) {
		t.Errorf("Seen of a view that is being filled: %v, want ErrFilling", err)
	}
	b := h.Batch(20)
	b.States["payments/other"] = b.States[h.Last().GetPayment()] // no two payments share an event
	apply(t, v, b)
	if err := v.EndFill(ctx); err == nil || errors.Is(err, view.ErrFilling) {
		t.Errorf("EndFill: %v, want to be told that an index cannot be made", err)
	}
	_, list := v.Events(ctx, view.Query{Limit: 1})
	_, seen := v.Seen(ctx, []string{"events/e1"})
	_, one := v.Payment(ctx, "payments/p1")
	_, position := v.Position(ctx)
	for what, err := range map[string]error{
		"Apply": v.Apply(ctx, h.Batch(1)), "EndFill": v.EndFill(ctx), "Sync": v.Sync(),
		"Events": list, "Seen": seen, "Payment": one, "Position": position,
	} {
		if !errors.Is(err, view.ErrFilling) {
			t.Errorf("%s: %v, want ErrFilling", what, err)
		}
	}
	if err := v.BeginFill(ctx); err != nil {
		t.Fatal(err)
	}
	apply(t, v, dataset.New(4).Batch(30))
	if err := v.EndFill(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Events(ctx, view.Query{Limit: 100}); err != nil || len(got) != 30 {
		t.Errorf("%d events (%v), want 30", len(got), err)
	}
}

func TestFillingThatWasCutShortStartsOver(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "view.db")
	v, err := view.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.BeginFill(ctx); err != nil {
		t.Fatal(err)
	}
	apply(t, v, dataset.New(1).Batch(100))
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = open(t, path)
	if at, err := v.Position(ctx); err != nil || at != (view.Position{}) {
		t.Errorf("the position is %+v (%v), want none", at, err)
	}
	apply(t, v, dataset.New(1).Batch(100))
	if got, err := v.Events(ctx, view.Query{Filter: parseEvents(t, "provider != none"), Limit: 200}); err != nil || len(got) != 100 {
		t.Errorf("%d events (%v), want 100", len(got), err)
	}
}

func TestPublishedIsWhatHasTheCursors(t *testing.T) {
	w, ctx := &world{r: rand.New(rand.NewPCG(4, 4))}, context.Background()
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	var events []*eventv1.PaymentStatusChanged
	var notices []*eventv1.QuarantineNotice
	for sequence := range int64(20) {
		b := w.commit(sequence + 1)
		apply(t, v, b)
		events, notices = append(events, b.Events...), append(notices, b.Notices...)
	}
	gotEvents, gotNotices, err := v.Published(ctx, 3, 10)
	if err != nil {
		t.Fatal(err)
	}
	outside := func(cursor int64) bool { return cursor <= 3 || cursor > 13 }
	events = slices.DeleteFunc(events, func(e *eventv1.PaymentStatusChanged) bool { return outside(e.GetCursor()) })
	notices = slices.DeleteFunc(notices, func(n *eventv1.QuarantineNotice) bool { return outside(n.GetCursor()) })
	if diff := gocmp.Diff(events, gotEvents, protocmp.Transform()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(notices, gotNotices, protocmp.Transform()); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}

func TestQuarantineCountsWhatIsNotReleased(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(3, 11))}
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	if all, err := v.Quarantine(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("an empty view has %v, %v", all, err)
	}
	for sequence := range int64(60) {
		if err := v.Apply(t.Context(), w.commit(sequence+1)); err != nil {
			t.Fatal(err)
		}
	}
	want := map[view.Quarantined]int64{}
	for _, d := range w.all {
		for _, reason := range d.open {
			want[view.Quarantined{Provider: d.Provider, Merchant: d.Merchant, Reason: reason}]++
		}
	}
	got := map[view.Quarantined]int64{}
	all, err := v.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		items := q.Items
		q.Items = 0
		got[q] = items
	}
	if diff := gocmp.Diff(want, got); diff != "" || len(want) < 5 {
		t.Errorf("of %d reasons (-want +got):\n%s", len(want), diff)
	}
}
