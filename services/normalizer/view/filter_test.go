package view_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// TestSQLAndMemoryAgreeOnWhatAFilterMatches is the conformance test of the
// two readings of a filter: whatever events and conditions are, a list has
// exactly the events that Match takes, in order, page by page.
func TestSQLAndMemoryAgreeOnWhatAFilterMatches(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 7))
		v := open(t, filepath.Join(t.TempDir(), fmt.Sprint(seed)))
		events := make([]*eventv1.PaymentStatusChanged, 240)
		for i := range events {
			events[i] = randomEvent(r, int64(i)*2+1)
		}
		write(t, v, seed == 2, func() {
			for i := 0; i < len(events); i += 40 {
				apply(t, v, view.Batch{Cursor: events[i+39].GetCursor() + 1, Events: events[i : i+40]})
			}
		})
		newest := slices.Clone(events)
		slices.Reverse(newest)
		for range 150 {
			in := randomFilter(r)
			c := parseEvents(t, in)
			after, limit := r.Int64N(500), 1+r.IntN(60)
			before := after + r.Int64N(500)
			q := view.Query{Filter: c, After: after, Before: before, Limit: limit}
			want := pick(newest, c, q)
			got, err := v.Events(ctx, q)
			if err != nil {
				t.Fatalf("%s: %v", in, err)
			}
			if !slices.Equal(cursors(got), want) {
				t.Errorf("seed %d: Events %s in (%d, %d) limit %d\n got %v\nwant %v", seed, in, after, before, limit, cursors(got), want)
			}
			q.Before = 0
			want = pick(events, c, q)
			if got, err = v.EventsAfter(ctx, after, c, limit); err != nil {
				t.Fatalf("%s: %v", in, err)
			}
			if !slices.Equal(cursors(got), want) {
				t.Errorf("seed %d: EventsAfter %s from %d limit %d\n got %v\nwant %v", seed, in, after, limit, cursors(got), want)
			}
		}
	}
}

func pick(events []*eventv1.PaymentStatusChanged, c filter.Conditions, q view.Query) (out []int64) {
	for _, e := range events {
		if at := e.GetCursor(); at <= q.After || q.Before != 0 && at >= q.Before || !c.Match(e) {
			continue
		}
		if out = append(out, e.GetCursor()); len(out) == q.Limit {
			break
		}
	}
	return out
}

func cursors(events []*eventv1.PaymentStatusChanged) (out []int64) {
	for _, e := range events {
		out = append(out, e.GetCursor())
	}
	return out
}

// oneOf chooses from few values, so that filters often match; "" among them.
func oneOf(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

func randomID(r *rand.Rand) string { return oneOf(r, "", "a", "b", "c", `q"uo'te\`, "zwölf") }

func randomDelivery(r *rand.Rand) string {
	return oneOf(r, "", "deliveries/d1-0", "deliveries/d2-0", "deliveries/d2-1", "deliveries/d900000000-4095")
}

func randomTime(r *rand.Rand) time.Time {
	return time.Date(2025, 1, 31, 12, 0, r.IntN(30), r.IntN(2), time.UTC)
}

func randomEvent(r *rand.Rand, cursor int64) *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Name: fmt.Sprintf("events/%d", cursor), Cursor: cursor,
		Provider: oneOf(r, "clip", "qitech"), Merchant: oneOf(r, "", "acme", "bolt"),
		Mode: eventv1.Mode(r.IntN(3)), Kind: eventv1.Kind(1 + r.IntN(4)), Direction: eventv1.Direction(r.IntN(3)),
		Disposition: eventv1.Disposition(r.IntN(6)), Payment: randomID(r), ProviderPaymentId: randomID(r),
		ProviderOperationId: randomID(r), MerchantReference: randomID(r), Delivery: randomDelivery(r),
	}
	switch e.Kind {
	case eventv1.Kind_KIND_PAYMENT:
		e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus(r.IntN(11))}
	case eventv1.Kind_KIND_REFUND:
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus(r.IntN(5))}
	case eventv1.Kind_KIND_DISPUTE:
		e.Status = &eventv1.PaymentStatusChanged_DisputeStatus{DisputeStatus: eventv1.DisputeStatus(r.IntN(7))}
	default:
		e.Status = &eventv1.PaymentStatusChanged_ProofStatus{ProofStatus: eventv1.ProofStatus(r.IntN(3))}
	}
	if r.IntN(10) > 0 {
		// Rises with the cursor, with late ones in between.
		e.ReceiveTime = timestamppb.New(randomTime(r).Add(time.Duration(cursor/30) * time.Second))
	}
	if r.IntN(10) > 0 {
		e.OccurTime = timestamppb.New(randomTime(r))
	}
	if r.IntN(50) == 0 {
		e.OccurTime = &timestamppb.Timestamp{Seconds: 253402300799}
	}
	return e
}

func randomFilter(r *rand.Rand) string {
	var parts []string
	for range r.IntN(4) {
		equal := oneOf(r, "=", "!=")
		order := oneOf(r, "=", "<", "<=", ">", ">=")
		parts = append(parts, []string{
			fmt.Sprintf("provider %s %s", equal, oneOf(r, "clip", "qitech", "none")),
			fmt.Sprintf("merchant %s %q", equal, oneOf(r, "", "acme", "bolt")),
			fmt.Sprintf("mode %s %s", equal, oneOf(r, "live", "TEST", "unspecified")),
			fmt.Sprintf("kind %s %s", equal, oneOf(r, "PAYMENT", "REFUND")),
			fmt.Sprintf("direction %s %s", equal, oneOf(r, "INBOUND", "OUTBOUND")),
			fmt.Sprintf("disposition %s %s", equal, oneOf(r, "APPLIED", "STALE")),
			fmt.Sprintf("payment_status %s %s", equal, oneOf(r, "UNSPECIFIED", "PAID", "FAILED")),
			fmt.Sprintf("refund_status %s %s", equal, oneOf(r, "UNSPECIFIED", "SUCCEEDED")),
			fmt.Sprintf("dispute_status %s %s", equal, oneOf(r, "UNSPECIFIED", "WON")),
			fmt.Sprintf("proof_status %s %s", equal, oneOf(r, "UNSPECIFIED", "VERIFIED")),
			fmt.Sprintf("payment %s %s", equal, quote(randomID(r))),
			fmt.Sprintf("provider_payment_id %s %s", equal, quote(randomID(r))),
			fmt.Sprintf("provider_operation_id %s %s", equal, quote(randomID(r))),
			fmt.Sprintf("merchant_reference %s %s", equal, quote(randomID(r))),
			fmt.Sprintf("delivery %s %s", equal, quote(oneOf(r, "deliveries/x", randomDelivery(r)))),
			fmt.Sprintf("receive_time %s %q", order, randomTime(r).Format(time.RFC3339Nano)),
			fmt.Sprintf("occur_time %s %q", order, randomTime(r).Format(time.RFC3339Nano)),
			fmt.Sprintf("occur_time %s %q", order, "2200-01-01T00:00:00Z"),
			fmt.Sprintf("cursor %s %d", order, r.Int64N(500)-50),
			fmt.Sprintf("cursor %s %s", order, oneOf(r, "9223372036854775807", "-9223372036854775808")),
		}[r.IntN(20)])
	}
	return strings.Join(parts, " AND ")
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// write calls apply, which writes all that is in v, and may fill v by it.
func write(t *testing.T, v *view.View, fill bool, apply func()) {
	t.Helper()
	if fill {
		if err := v.BeginFill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	if fill {
		if err := v.EndFill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPaymentsAreFilteredByWhatTheirEventsAddUpTo(t *testing.T) {
	for _, fill := range []bool{false, true} {
		t.Run(fmt.Sprintf("filled %v", fill), func(t *testing.T) { testPaymentFilters(t, fill) })
	}
}

func testPaymentFilters(t *testing.T, fill bool) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	event := func(cursor int64, set func(*eventv1.PaymentStatusChanged)) *eventv1.PaymentStatusChanged {
		e := &eventv1.PaymentStatusChanged{
			Name: fmt.Sprintf("events/%d", cursor), Cursor: cursor, Provider: "clip", Merchant: "acme",
			Mode: eventv1.Mode_MODE_LIVE, Direction: eventv1.Direction_DIRECTION_INBOUND, ProviderPaymentId: fmt.Sprint("pp", cursor),
			ReceiveTime: timestamppb.New(time.Date(2025, 1, 31, 12, 0, int(cursor), 0, time.UTC)),
		}
		set(e)
		return e
	}
	paid := func(e *eventv1.PaymentStatusChanged) {
		e.Payment, e.MerchantReference = "payments/paid", "order-1"
		e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID}
	}
	refund := func(e *eventv1.PaymentStatusChanged) {
		e.Payment = "payments/paid"
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_PENDING}
	}
	proof := func(e *eventv1.PaymentStatusChanged) {
		e.Payment, e.Provider, e.Mode = "payments/proof", "incode", eventv1.Mode_MODE_TEST
		e.Status = &eventv1.PaymentStatusChanged_ProofStatus{ProofStatus: eventv1.ProofStatus_PROOF_STATUS_VERIFIED}
	}
	onlyRefund := func(e *eventv1.PaymentStatusChanged) {
		e.Payment, e.Direction, e.MerchantReference = "payments/refunded", eventv1.Direction_DIRECTION_OUTBOUND, "order-3"
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED}
	}
	pending := func(e *eventv1.PaymentStatusChanged) {
		e.Payment, e.MerchantReference = "payments/paid", "order-0"
		e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION}
	}
	events := []*eventv1.PaymentStatusChanged{event(1, pending), event(2, proof), event(3, paid), event(4, onlyRefund), event(5, refund)}
	write(t, v, fill, func() {
		apply(t, v, view.Batch{Cursor: 2, Events: events[:2], States: map[string]*ledgerv1.PaymentState{
			"payments/paid":  {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: events[0]}}},
			"payments/proof": {Machines: map[string]*ledgerv1.MachineState{"proof": {Last: events[1]}}},
		}})
		apply(t, v, view.Batch{Cursor: 5, Events: events[2:], States: map[string]*ledgerv1.PaymentState{ // paid has other IDs now
			"payments/paid":     {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: events[2]}, "refund/1": {Last: events[4]}}},
			"payments/refunded": {Machines: map[string]*ledgerv1.MachineState{"refund/2": {Last: events[3]}}},
		}})
	})
	tests := []struct {
		filter string
		want   []string
	}{
		{"", []string{"payments/paid", "payments/refunded", "payments/proof"}},
		{"provider = clip", []string{"payments/paid", "payments/refunded"}},
		{"merchant != acme", nil},
		{"mode = test", []string{"payments/proof"}},
		{"direction = outbound", []string{"payments/refunded"}},
		{"payment_status = PAID", []string{"payments/paid"}},
		{"payment_status != PAID", []string{"payments/refunded", "payments/proof"}},
		{"proof_status = VERIFIED", []string{"payments/proof"}},
		{"provider_payment_id = pp3", []string{"payments/paid"}},
		{"provider_payment_id = pp1", nil},
		{"provider_payment_id = pp5", nil},
		{"merchant_reference = order-0", nil},
		{"merchant_reference = order-1 AND payment_status = PAID", []string{"payments/paid"}},
		{"merchant_reference = order-1 AND payment_status != PAID", nil},
		{"merchant_reference = order-3", []string{"payments/refunded"}},
		{"merchant_reference = ''", []string{"payments/proof"}},
		{`update_time > "2025-01-31T12:00:02Z"`, []string{"payments/paid", "payments/refunded"}},
		{`update_time <= "2025-01-31T12:00:02Z"`, []string{"payments/proof"}},
		{`update_time = "2025-01-31T12:00:05Z"`, []string{"payments/paid"}},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			var got []string
			q := view.Query{Filter: parsePayments(t, tt.filter), Limit: 1}
			for { // a page for each
				page, err := v.Payments(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page[0].Name)
				q.Before = page[0].UpdateCursor
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("payments are %v, want %v", got, tt.want)
			}
		})
	}
}

// What was looked up is not believed any more once the payment is written.
func TestPaymentsThatWereLookedUpOnceAreWrittenOnce(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "view.db"))
	if found, err := v.States(t.Context(), []string{"payments/p"}); err != nil || len(found) != 0 {
		t.Fatalf("an empty view has %v (%v)", found, err)
	}
	for cursor := range int64(3) {
		e := &eventv1.PaymentStatusChanged{Name: fmt.Sprintf("events/%d", cursor+1), Cursor: cursor + 1, Payment: "payments/p", Provider: "clip"}
		apply(t, v, view.Batch{Cursor: e.GetCursor(), Events: []*eventv1.PaymentStatusChanged{e}, States: map[string]*ledgerv1.PaymentState{
			"payments/p": {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: e}}},
		}})
	}
	if all, err := v.Payments(t.Context(), view.Query{Limit: 10}); err != nil || len(all) != 1 || all[0].UpdateCursor != 3 {
		t.Errorf("payments are %v (%v), want one that changed with cursor 3", all, err)
	}
}

func parsePayments(tb testing.TB, in string) filter.Conditions {
	tb.Helper()
	c, err := filter.Payments().Parse(in)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// exec changes a file as no view would.
func exec(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
