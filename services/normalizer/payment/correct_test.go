package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/payment"
)

// fact is a fact of a minute without an amount.
func fact(status eventv1.PaymentStatus, minute int) *eventv1.PaymentStatusChanged {
	return pay(status, at(minute))
}

// capture is a capture of a payment that took money, or did not.
func capture(name, op string, minor int64, status eventv1.PaymentStatus, minute int) *eventv1.PaymentStatusChanged {
	e := fact(status, minute)
	e.Name, e.Payment, e.ProviderOperationId = name, "payments/p1", op
	e.Operation, e.OperationOutcome = eventv1.Operation_OPERATION_SALE, eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED
	e.Amount = &eventv1.Money{CurrencyCode: "MXN", MinorUnits: minor, Exponent: 2}
	return e
}

func decided(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) *eventv1.PaymentStatusChanged {
	payment.Decide(state, e, 0)
	payment.Advance(state, e)
	return e
}

func corrected(state *ledgerv1.PaymentState, e, superseded *eventv1.PaymentStatusChanged, ifPaid eventv1.PaymentStatus) *eventv1.PaymentStatusChanged {
	payment.Correct(state, e, superseded, ifPaid)
	payment.Advance(state, e)
	return e
}

const processing = eventv1.PaymentStatus_PAYMENT_STATUS_PROCESSING

func TestCorrectionThatTookNothingLeavesTheSum(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	decided(state, capture("events/1", "a", 5, paid, 1))
	second := decided(state, capture("events/2", "b", 7, paid, 2))
	e := corrected(state, capture("events/3", "b", 7, processing, 2), second, 0)
	if e.GetDisposition() != eventv1.Disposition_DISPOSITION_CORRECTION || e.GetPaymentVersion() != 3 || e.GetPreviousPaymentStatus() != paid {
		t.Errorf("got %v", e)
	}
	if got := e.GetAmountPaid().GetMinorUnits(); e.GetAmountPaid() == nil || got != 5 {
		t.Errorf("%d were paid, want 5", got)
	}
	if diff := cmp.Diff(map[string]int64{"a": 5}, state.GetPaidByOperation()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestCorrectedOperationReplacesTheOther(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	decided(state, capture("events/1", "a", 5, paid, 1))
	last := decided(state, capture("events/2", "wrong", 7, paid, 2))
	e := corrected(state, capture("events/3", "b", 70, paid, 2), last, 0)
	if got := e.GetAmountPaid().GetMinorUnits(); got != 75 {
		t.Errorf("%d were paid, want 75", got)
	}
	if diff := cmp.Diff(map[string]int64{"a": 5, "b": 70}, state.GetPaidByOperation()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// A capture that was read as one that took money, and was declined, leaves its payment as it was.
func TestCorrectionToADeclinedCaptureLeavesThePayment(t *testing.T) {
	declined := func(name string) *eventv1.PaymentStatusChanged {
		e := capture(name, "b", 7, failed, 2)
		e.Operation, e.OperationOutcome = eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED
		return e
	}
	for before, first := range map[eventv1.PaymentStatus]*eventv1.PaymentStatusChanged{
		paid: capture("events/1", "a", 5, paid, 1), authorized: fact(authorized, 1),
	} {
		state := &ledgerv1.PaymentState{}
		decided(state, first)
		wrong := capture("events/2", "b", 7, paid, 2)
		wrong.Operation = eventv1.Operation_OPERATION_CAPTURE
		e := corrected(state, declined("events/3"), decided(state, wrong), 0)
		want := map[eventv1.PaymentStatus]string{paid: "5 MXN", authorized: "0 MXN"}[before]
		if e.GetPaymentStatus() != before || e.GetFinal() || sum(e.GetAmountPaid()) != want {
			t.Errorf("%v becomes %v, final %v, paid %s; want it as it was, with %s", before, e.GetPaymentStatus(), e.GetFinal(), sum(e.GetAmountPaid()), want)
		}
		if got := payment.Differences(e, declined("events/4"), 0); len(got) > 0 {
			t.Errorf("after %v the correction is to be corrected again, in %v", before, got)
		}
	}
}

func TestCorrectedCurrencyHasASum(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	last := decided(state, capture("events/1", "a", 5, paid, 1))
	e := capture("events/2", "a", 5, paid, 1)
	e.Amount.CurrencyCode = "BRL"
	corrected(state, e, last, 0)
	if got := sum(state.GetMachines()["payment"].GetLast().GetAmountPaid()); got != "5 BRL" {
		t.Errorf("paid %s, want 5 BRL", got)
	}
}

func TestOvertakenOperationIsNotCountedTwice(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	first := decided(state, capture("events/1", "wrong", 5, paid, 1))
	decided(state, capture("events/2", "b", 7, paid, 2))
	e := corrected(state, capture("events/3", "a", 5, paid, 1), first, 0)
	if e.GetDisposition() != eventv1.Disposition_DISPOSITION_ANOMALY || e.GetPaymentVersion() != 0 || state.GetVersion() != 2 {
		t.Errorf("got %v", e)
	}
}

// A payment that was paid before it was voided is reversed, however often the event is corrected.
func TestCorrectionKnowsWhatThePaymentWasBefore(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	decided(state, capture("events/1", "a", 5, paid, 1))
	void := fact(canceled, 2)
	void.Name, void.Payment = "events/2", "payments/p1"
	payment.Decide(state, void, reversed)
	payment.Advance(state, void)
	for i, name := range []string{"events/3", "events/4"} {
		again := fact(canceled, 2)
		again.Name, again.Payment, again.ProviderType = name, "payments/p1", name
		void = corrected(state, again, void, reversed)
		if void.GetPaymentStatus() != reversed || void.GetPaymentVersion() != int64(3+i) {
			t.Errorf("correction %d is %v", i+1, void)
		}
	}
}

func TestDifferencesAreThoseOfWhatTheProviderSays(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	decided(state, capture("events/0", "z", 1, pending, 0))
	published := decided(state, capture("events/1", "a", 5, paid, 1))
	for _, c := range []struct {
		name   string
		change func(e *eventv1.PaymentStatusChanged)
		want   []string
	}{
		{"nothing", func(*eventv1.PaymentStatusChanged) {}, nil},
		{"where it was read", func(e *eventv1.PaymentStatusChanged) {
			e.MappingVersion, e.Cursor, e.Delivery = 9, 9, "deliveries/d9-9"
		}, nil},
		{"the status", func(e *eventv1.PaymentStatusChanged) {
			e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: processing}
		}, []string{"payment_status"}},
		{"a final status", func(e *eventv1.PaymentStatusChanged) {
			e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: canceled}
		}, []string{"payment_status", "final"}},
		{"amount and reason", func(e *eventv1.PaymentStatusChanged) {
			e.Amount.MinorUnits, e.Reason = 6, &eventv1.Reason{Code: "x"}
		}, []string{"reason", "amount"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := capture("events/1", "a", 5, paid, 1)
			c.change(e)
			was := proto.CloneOf(published)
			if diff := cmp.Diff(c.want, payment.Differences(published, e, 0)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if !proto.Equal(was, published) {
				t.Error("the published event was changed")
			}
		})
	}
}

func TestStatusThatHistoryChoseIsNoDifference(t *testing.T) {
	state := &ledgerv1.PaymentState{}
	decided(state, capture("events/1", "a", 5, paid, 1))
	void := fact(canceled, 2)
	payment.Decide(state, void, reversed)
	if got := payment.Differences(void, fact(canceled, 2), reversed); len(got) != 0 {
		t.Errorf("a void that became a reversal differs in %v", got)
	}
	declined := func() *eventv1.PaymentStatusChanged {
		e := fact(eventv1.PaymentStatus_PAYMENT_STATUS_FAILED, 3)
		e.Operation, e.OperationOutcome = eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED
		return e
	}
	e := declined()
	payment.Decide(state, e, 0)
	if got := payment.Differences(e, declined(), 0); len(got) != 0 {
		t.Errorf("a declined capture differs in %v", got)
	}
}
