package view_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func TestWhatWasAppliedIsThereAfterReopening(t *testing.T) {
	// The path has what a file URI would take for its own.
	path := filepath.Join(t.TempDir(), "a view?mode=memory#%41.db")
	ctx, h := context.Background(), dataset.New(1)
	b := h.Batch(100)
	b.Notices = []*eventv1.QuarantineNotice{{Name: "quarantined/q1", Provider: "clip", Merchant: "acme", Cursor: 100, Detail: "amount"}}
	v, err := view.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, v, b)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it should be: %v", err)
	}
	v = open(t, path)
	if got, err := v.Position(ctx); err != nil || got != (view.Position{LedgerSequence: 100, Cursor: 100}) {
		t.Errorf("Position = %+v, %v, want 100 and 100", got, err)
	}
	got, err := v.EventsAfter(ctx, 0, nil, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Events, got, protocmp.Transform()); diff != "" {
		t.Errorf("EventsAfter (-want +got):\n%s", diff)
	}
	apply(t, v, h.Batch(100)) // classes are known again
	if got, err := v.Events(ctx, view.Query{Limit: 1000}); err != nil || len(got) != 200 {
		t.Errorf("Events = %d, %v, want 200", len(got), err)
	}
}

func TestEventsAndPaymentsAreFoundByName(t *testing.T) {
	v, h, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(1), context.Background()
	b := h.Batch(200)
	apply(t, v, b)
	unknown := []string{"events/e00000000000000000000000000000000", "payments/p0", ""}
	var names, payments []string
	for _, e := range b.Events {
		names, payments = append(names, e.GetName()), append(payments, e.GetPayment())
	}
	seen, err := v.Seen(ctx, append(names, unknown...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if seen[name].Cursor == 0 {
			t.Errorf("%s was applied and not seen", name)
		}
	}
	if len(seen) != len(names) {
		t.Errorf("%d names were seen, want %d", len(seen), len(names))
	}
	states, err := v.States(ctx, append(payments, unknown...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.States, states, protocmp.Transform()); diff != "" {
		t.Errorf("States (-want +got):\n%s", diff)
	}
	if got, err := v.Event(ctx, names[7]); err != nil || !proto.Equal(got, b.Events[7]) {
		t.Errorf("Event = %v, %v", got, err)
	}
	got, err := v.Payment(ctx, payments[7])
	if err != nil || got.Name != payments[7] || !proto.Equal(got.State, b.States[payments[7]]) {
		t.Errorf("Payment = %v, %v", got, err)
	}
	if _, err := v.Event(ctx, unknown[0]); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("an unknown event gives %v", err)
	}
	if _, err := v.Payment(ctx, unknown[1]); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("an unknown payment gives %v", err)
	}
	for _, n := range []int{0, 1, 8, 9, 64, 65} {
		if got, err := v.Seen(ctx, names[:n]); err != nil || len(got) != n {
			t.Errorf("%d of %d names were seen (%v)", len(got), n, err)
		}
	}
}

func TestKeysSurviveReopening(t *testing.T) {
	path, h, ctx := filepath.Join(t.TempDir(), "view.db"), dataset.New(1), context.Background()
	names, payments := []string{}, map[string]*ledgerv1.PaymentState{}
	for _, limit := range []int{80, 640, 1 << 30, 80} { // all in the table, some, none of the last
		v, err := view.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		v.LimitMemory(limit)
		inMemory := v.InMemory()
		for range 20 {
			b := h.Batch(10)
			apply(t, v, b)
			for _, e := range b.Events {
				names = append(names, e.GetName())
			}
			maps.Copy(payments, b.States)
		}
		if limit == 1<<30 && v.InMemory() < inMemory+20*10*4 {
			t.Errorf("%d keys are in memory, want all", v.InMemory())
		}
		seen, err := v.Seen(ctx, names)
		if err != nil || len(seen) != len(names) {
			t.Errorf("%d of %d events are seen (%v)", len(seen), len(names), err)
		}
		states, err := v.States(ctx, slices.Collect(maps.Keys(payments)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(payments, states, protocmp.Transform()); diff != "" {
			t.Errorf("States (-want +got):\n%s", diff)
		}
		kept := v.InMemory()
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if v, err = view.Open(ctx, path); err != nil {
			t.Fatal(err)
		}
		if v.InMemory() != kept {
			t.Errorf("%d keys are in memory after reopening, want %d", v.InMemory(), kept)
		}
		for name := range payments {
			if _, err := v.Payment(ctx, name); err != nil {
				t.Error(err)
			}
		}
		for _, name := range names {
			if _, err := v.Event(ctx, name); err != nil {
				t.Error(err)
			}
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestABatchMayBeAppliedAgain(t *testing.T) {
	v, h, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(1), context.Background()
	first, second := h.Batch(50), h.Batch(50)
	apply(t, v, first)
	apply(t, v, second)
	apply(t, v, first)
	// A batch that begins before the position and ends after it.
	third := h.Batch(50)
	third.Events = append(second.Events, third.Events...)
	apply(t, v, third)
	if got, err := v.Events(ctx, view.Query{Limit: 1000}); err != nil || len(got) != 150 {
		t.Errorf("Events = %d, %v, want 150", len(got), err)
	}
	if got, err := v.Position(ctx); err != nil || got.Cursor != 150 {
		t.Errorf("Position = %+v, %v, want cursor 150", got, err)
	}
	last := map[string]int64{}
	for _, b := range []view.Batch{first, second, third} {
		for _, e := range b.Events {
			last[e.GetPayment()] = e.GetCursor()
		}
	}
	payments, err := v.Payments(ctx, view.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, p := range payments {
		got[p.Name] = p.UpdateCursor
	}
	if diff := cmp.Diff(last, got); diff != "" {
		t.Errorf("update cursors (-want +got):\n%s", diff)
	}
}

func TestABatchWithoutEventsMovesThePosition(t *testing.T) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	apply(t, v, view.Batch{LedgerSequence: 7, Cursor: 3})
	apply(t, v, view.Batch{LedgerSequence: 9, Cursor: 3})
	apply(t, v, view.Batch{LedgerSequence: 8, Cursor: 4})
	if got, err := v.Position(ctx); err != nil || got != (view.Position{LedgerSequence: 9, Cursor: 4}) {
		t.Errorf("Position = %+v, %v, want 9 and 4", got, err)
	}
}

func TestABatchOutOfOrderIsRefusedAndChangesNothing(t *testing.T) {
	v, h, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(1), context.Background()
	b := h.Batch(3)
	e := b.Events
	last := func(e *eventv1.PaymentStatusChanged) map[string]*ledgerv1.PaymentState {
		return map[string]*ledgerv1.PaymentState{e.GetPayment(): {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: e}}}}
	}
	noCursor := proto.CloneOf(e[0])
	noCursor.Cursor = 0
	tests := []struct {
		name  string
		batch view.Batch
	}{
		{"falling cursors", view.Batch{Cursor: 3, Events: []*eventv1.PaymentStatusChanged{e[1], e[0]}}},
		{"equal cursors", view.Batch{Cursor: 3, Events: []*eventv1.PaymentStatusChanged{e[1], e[1]}}},
		{"a cursor above the batch's", view.Batch{Cursor: 2, Events: e}},
		{"an event without a cursor", view.Batch{Cursor: 3, Events: []*eventv1.PaymentStatusChanged{noCursor}}},
		{"a notice above the batch's cursor", view.Batch{Cursor: 2, Notices: []*eventv1.QuarantineNotice{{Cursor: 3}}}},
		{"a state whose event has no cursor", view.Batch{Cursor: 3, States: last(noCursor)}},
		{"a state above the batch's cursor", view.Batch{Cursor: 2, States: last(e[2])}},
		{"two payments that changed with one event", view.Batch{Cursor: 3, Events: e, States: map[string]*ledgerv1.PaymentState{
			"payments/p1": last(e[0])[e[0].GetPayment()], "payments/p2": last(e[0])[e[0].GetPayment()],
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := v.Apply(ctx, tt.batch); err == nil {
				t.Fatal("Apply took it")
			}
			if got, err := v.Position(ctx); err != nil || got != (view.Position{}) {
				t.Errorf("Position = %+v, %v, want none", got, err)
			}
			if got, err := v.Events(ctx, view.Query{Limit: 10}); err != nil || len(got) != 0 {
				t.Errorf("Events = %v, %v, want none", got, err)
			}
		})
	}
	apply(t, v, b)
	if got, err := v.Events(ctx, view.Query{Filter: parseEvents(t, "provider != none"), Limit: 10}); err != nil || len(got) != 3 {
		t.Errorf("Events after the refusals = %d, %v, want 3", len(got), err)
	}
}

func TestAPaymentWhoseIDsChangeIsFoundByTheNewOnes(t *testing.T) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	e := func(cursor int64, reference string) view.Batch {
		e := &eventv1.PaymentStatusChanged{
			Name: "events/e1", Payment: "payments/p1", Provider: "clip", Cursor: cursor,
			ProviderPaymentId: "pp", MerchantReference: reference,
		}
		return view.Batch{Cursor: cursor, Events: []*eventv1.PaymentStatusChanged{e}, States: map[string]*ledgerv1.PaymentState{
			"payments/p1": {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: e}}},
		}}
	}
	apply(t, v, e(1, ""))
	apply(t, v, e(2, "order-1"))
	apply(t, v, e(3, "order-2"))
	for reference, want := range map[string]int{"order-1": 0, "order-2": 1} {
		got, err := v.Payments(ctx, view.Query{Filter: parsePayments(t, "merchant_reference = "+reference), Limit: 10})
		if err != nil || len(got) != want {
			t.Errorf("payments with %s = %v, %v, want %d", reference, got, err, want)
		}
	}
}

func TestAFileThatCannotBeUsedSaysToDeleteIt(t *testing.T) {
	ctx := context.Background()
	make := func(t *testing.T, change string) string {
		path := filepath.Join(t.TempDir(), "view.db")
		v, err := view.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		apply(t, v, dataset.New(1).Batch(100))
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if change != "" {
			exec(t, path, change)
		}
		return path
	}
	overwrite := func(t *testing.T, path string, offset int64) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		noise := []byte("this is not what SQLite expects to find here")
		for i := range int64(90) {
			if _, err := f.WriteAt(noise, offset+i*int64(len(noise))); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		path func(*testing.T) string
	}{
		{"another version", func(t *testing.T) string { return make(t, "UPDATE meta SET schema_version = 999") }},
		{"a part too many", func(t *testing.T) string { return make(t, "INSERT INTO parts VALUES (256, 0, 0)") }},
		{"a part too few, of the version before", func(t *testing.T) string {
			return make(t, "UPDATE meta SET schema_version = 4; DELETE FROM parts WHERE part >= 15")
		}},
		{"no version", func(t *testing.T) string { return make(t, "DELETE FROM meta") }},
		{"another database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "view.db")
			exec(t, path, "CREATE TABLE accounts (id INTEGER)")
			return path
		}},
		{"no database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "view.db")
			if err := os.WriteFile(path, []byte("name,amount\nsomething else entirely\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}},
		{"a damaged head", func(t *testing.T) string { path := make(t, ""); overwrite(t, path, 0); return path }},
		{"a damaged table", func(t *testing.T) string { path := make(t, ""); overwrite(t, path, 4096); return path }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := view.Open(ctx, tt.path(t))
			if err == nil {
				_ = v.Close()
			}
			if !errors.Is(err, view.ErrUnusable) {
				t.Errorf("Open = %v, want ErrUnusable", err)
			}
		})
	}
}

func TestCursorAtIsBeforeTheFirstEventReceivedThen(t *testing.T) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	noon := time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) *timestamppb.Timestamp {
		return timestamppb.New(noon.Add(time.Duration(seconds) * time.Second))
	}
	// 20 comes before 10 and 15: an event that was late to arrive in the ledger.
	apply(t, v, view.Batch{Cursor: 12, Events: []*eventv1.PaymentStatusChanged{
		{Name: "events/1", Cursor: 3, ReceiveTime: at(5)},
		{Name: "events/2", Cursor: 4, ReceiveTime: at(20)},
		{Name: "events/3", Cursor: 7, ReceiveTime: at(10)},
		{Name: "events/4", Cursor: 8},
		{Name: "events/5", Cursor: 9, ReceiveTime: at(15)},
		{Name: "events/6", Cursor: 10, ReceiveTime: at(30)},
	}})
	for _, tt := range []struct {
		seconds int
		want    int64
	}{{-1e6, 2}, {5, 2}, {6, 3}, {15, 3}, {20, 3}, {21, 9}, {30, 9}, {31, 12}, {1e9, 12}} {
		if got, err := v.CursorAt(ctx, at(tt.seconds).AsTime()); err != nil || got != tt.want {
			t.Errorf("CursorAt(noon %+d s) = %d, %v, want %d", tt.seconds, got, err, tt.want)
		}
	}
	if got, err := v.CursorAt(ctx, time.Time{}); err != nil || got != 2 {
		t.Errorf("CursorAt(year 1) = %d, %v, want 2", got, err)
	}
}

func TestCanceledReadsStop(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := v.Events(ctx, view.Query{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Events = %v", err)
	}
	if err := v.Apply(ctx, dataset.New(1).Batch(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply = %v", err)
	}
	if _, err := v.Seen(ctx, []string{"events/e"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Seen = %v", err)
	}
}
