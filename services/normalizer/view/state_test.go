package view_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func mxn(minor int64) *eventv1.Money {
	return &eventv1.Money{CurrencyCode: "MXN", MinorUnits: minor}
}

// A state is stored by the cursors of its events; what earlier events said must
// come back with it.
func TestStatesComeBackWhole(t *testing.T) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	const name = "payments/p1"
	told := []*eventv1.PaymentStatusChanged{
		{Kind: eventv1.Kind_KIND_PAYMENT, Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING}, Amount: mxn(0), MerchantReference: "order-1", Fee: mxn(7)},
		{Kind: eventv1.Kind_KIND_PAYMENT, Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_AUTHORIZED}},
		{
			Kind: eventv1.Kind_KIND_PAYMENT, Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID}, Amount: mxn(60), AmountPaid: mxn(60), ProviderOperationId: "c1",
			Operation: eventv1.Operation_OPERATION_CAPTURE, OperationOutcome: eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED,
		},
		{Kind: eventv1.Kind_KIND_REFUND, Status: &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_PENDING}, Amount: mxn(10), ProviderOperationId: "r1"},
		{Kind: eventv1.Kind_KIND_REFUND, Status: &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED}, ProviderOperationId: "r1"},
		{Kind: eventv1.Kind_KIND_REFUND, Status: &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED}, Amount: mxn(3), ProviderOperationId: "r2"},
	}
	want := &ledgerv1.PaymentState{}
	for i, e := range told {
		e.Name, e.Payment, e.Provider, e.Merchant = "events/e"+string('1'+rune(i)), name, "clip", "acme"
		e.Cursor, e.PaymentVersion, e.Disposition = int64(i+1), int64(i+1), eventv1.Disposition_DISPOSITION_APPLIED
		e.Delivery = "deliveries/d1-0"
		payment.Advance(want, e)
		apply(t, v, view.Batch{
			Cursor: e.GetCursor(), LedgerSequence: e.GetCursor(), Events: []*eventv1.PaymentStatusChanged{e},
			States: map[string]*ledgerv1.PaymentState{name: want},
		})
		states, err := v.States(ctx, []string{name, "payments/unknown"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]*ledgerv1.PaymentState{name: want}, states, protocmp.Transform()); diff != "" {
			t.Errorf("States after event %d (-want +got):\n%s", i+1, diff)
		}
		one, err := v.Payment(ctx, name)
		if err != nil || !proto.Equal(one.State, want) {
			t.Errorf("Payment after event %d = %v, %v, want %v", i+1, one.State, err, want)
		}
		all, err := v.Payments(ctx, view.Query{Limit: 10})
		if err != nil || len(all) != 1 || !proto.Equal(all[0].State, want) {
			t.Errorf("Payments after event %d = %v, %v, want %v", i+1, all, err, want)
		}
	}
	if n := len(want.GetMachines()); n != 3 {
		t.Errorf("the payment has %d state machines, want 3", n)
	}
}

func TestStateOfEventsThatAreNotThereIsToldOf(t *testing.T) {
	v, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), context.Background()
	gone := &eventv1.PaymentStatusChanged{Name: "events/e1", Payment: "payments/p1", Cursor: 1}
	apply(t, v, view.Batch{Cursor: 1, LedgerSequence: 1, States: map[string]*ledgerv1.PaymentState{
		"payments/p1": {Machines: map[string]*ledgerv1.MachineState{"payment": {Last: gone}}},
	}})
	_, one := v.Payment(ctx, "payments/p1")
	_, listed := v.Payments(ctx, view.Query{Limit: 10})
	_, states := v.States(ctx, []string{"payments/p1"})
	for what, err := range map[string]error{"Payment": one, "Payments": listed, "States": states} {
		if !errors.Is(err, view.ErrUnusable) || !strings.Contains(err.Error(), "events that payments name are not there: 1") {
			t.Errorf("%s: %v, want ErrUnusable", what, err)
		}
	}
}
