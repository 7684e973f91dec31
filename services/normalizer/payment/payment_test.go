package payment_test

import (
	"fmt"
	"testing"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	pending    = eventv1.PaymentStatus_PAYMENT_STATUS_PENDING
	action     = eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION
	authorized = eventv1.PaymentStatus_PAYMENT_STATUS_AUTHORIZED
	paid       = eventv1.PaymentStatus_PAYMENT_STATUS_PAID
	settled    = eventv1.PaymentStatus_PAYMENT_STATUS_SETTLED
	failed     = eventv1.PaymentStatus_PAYMENT_STATUS_FAILED
	canceled   = eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED
	expired    = eventv1.PaymentStatus_PAYMENT_STATUS_EXPIRED
	reversed   = eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED

	refunded = eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED
	bounced  = eventv1.RefundStatus_REFUND_STATUS_FAILED

	applied  = eventv1.Disposition_DISPOSITION_APPLIED
	stale    = eventv1.Disposition_DISPOSITION_STALE
	noChange = eventv1.Disposition_DISPOSITION_NO_CHANGE
	anomaly  = eventv1.Disposition_DISPOSITION_ANOMALY
)

type option func(*eventv1.PaymentStatusChanged)

// at is the provider's time, in minutes; without it the event has only a time of receipt.
func at(minute int) option {
	return func(e *eventv1.PaymentStatusChanged) {
		e.OccurTime = timestamppb.New(time.Date(2026, 3, 1, 10, minute, 0, 0, time.UTC))
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
	}
}

func mxn(minor int64) *eventv1.Money {
	return &eventv1.Money{CurrencyCode: "MXN", MinorUnits: minor, Exponent: 2}
}

func amount(minor int64) option {
	return func(e *eventv1.PaymentStatusChanged) { e.Amount = mxn(minor) }
}

func total(minor int64) option {
	return func(e *eventv1.PaymentStatusChanged) { e.AmountPaid = mxn(minor) }
}

func fee(minor int64) option {
	return func(e *eventv1.PaymentStatusChanged) { e.Fee = mxn(minor) }
}

func final(e *eventv1.PaymentStatusChanged) { e.Final = true }

func operation(id string, o eventv1.Operation, outcome eventv1.OperationOutcome) option {
	return func(e *eventv1.PaymentStatusChanged) {
		e.ProviderOperationId, e.Operation, e.OperationOutcome = id, o, outcome
	}
}

func succeeded(id string, o eventv1.Operation) option {
	return operation(id, o, eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED)
}

func pay(s eventv1.PaymentStatus, options ...option) *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind:            eventv1.Kind_KIND_PAYMENT,
		Status:          &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: s},
		OccurTimeSource: eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_RECEIVED,
	}
	for _, o := range options {
		o(e)
	}
	return e
}

func refund(s eventv1.RefundStatus, options ...option) *eventv1.PaymentStatusChanged {
	e := pay(0, options...)
	e.Kind = eventv1.Kind_KIND_REFUND
	e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: s}
	return e
}

// tell decides and folds events in order and returns the state.
func tell(events ...*eventv1.PaymentStatusChanged) *ledgerv1.PaymentState {
	state := &ledgerv1.PaymentState{}
	for _, e := range events {
		payment.Decide(state, e, 0)
		payment.Advance(state, e)
	}
	return state
}

func TestDispositionFollowsTheTableOfMoves(t *testing.T) {
	for _, c := range []struct {
		name       string
		story      []*eventv1.PaymentStatusChanged
		want       eventv1.Disposition
		unexpected bool
	}{
		{"first is applied", []*eventv1.PaymentStatusChanged{pay(reversed)}, applied, false},
		{"pending then paid", []*eventv1.PaymentStatusChanged{pay(pending, at(1)), pay(paid, at(2))}, applied, false},
		{"back from action to pending", []*eventv1.PaymentStatusChanged{pay(action, at(1)), pay(pending, at(2))}, applied, false},
		{"older pending after paid", []*eventv1.PaymentStatusChanged{pay(paid, at(2)), pay(pending, at(1))}, stale, false},
		{"equal time, lower rank", []*eventv1.PaymentStatusChanged{pay(paid, at(2)), pay(pending, at(2))}, stale, false},
		{"no time, lower rank", []*eventv1.PaymentStatusChanged{pay(paid), pay(pending)}, stale, false},
		{"no time on one side, higher rank", []*eventv1.PaymentStatusChanged{pay(pending, at(2)), pay(paid)}, applied, false},
		{"newer pending after paid", []*eventv1.PaymentStatusChanged{pay(paid, at(1)), pay(pending, at(2))}, anomaly, true},
		{"late paid after expired", []*eventv1.PaymentStatusChanged{pay(expired, at(5)), pay(paid, at(1))}, applied, true},
		{"newer paid after expired", []*eventv1.PaymentStatusChanged{pay(expired, at(5)), pay(paid, at(6))}, applied, true},
		{"late paid after pending", []*eventv1.PaymentStatusChanged{pay(pending, at(5)), pay(paid, at(1))}, applied, false},
		{"late authorized after pending is stale", []*eventv1.PaymentStatusChanged{pay(pending, at(5)), pay(authorized, at(1))}, stale, false},
		{"canceled after expired", []*eventv1.PaymentStatusChanged{pay(expired, at(1)), pay(canceled, at(2))}, anomaly, true},
		{"retry after a failure", []*eventv1.PaymentStatusChanged{pay(failed, at(1)), pay(pending, at(2))}, applied, false},
		{"retry after a final failure", []*eventv1.PaymentStatusChanged{pay(failed, at(1), final), pay(pending, at(2))}, anomaly, true},
		{"paid after a final failure", []*eventv1.PaymentStatusChanged{pay(failed, at(1), final), pay(paid, at(2))}, applied, true},
		{"paid to settled", []*eventv1.PaymentStatusChanged{pay(paid, at(1)), pay(settled, at(2))}, applied, false},
		{"settled to reversed", []*eventv1.PaymentStatusChanged{pay(settled, at(1)), pay(reversed, at(2))}, applied, false},
		{"paid after settled", []*eventv1.PaymentStatusChanged{pay(settled, at(1)), pay(paid, at(2))}, anomaly, true},
		{"authorized to pending", []*eventv1.PaymentStatusChanged{pay(authorized, at(1)), pay(pending, at(2))}, anomaly, true},
		{"authorized to reversed", []*eventv1.PaymentStatusChanged{pay(authorized, at(1)), pay(reversed, at(2))}, applied, true},
		{"the same again", []*eventv1.PaymentStatusChanged{pay(pending, at(1), amount(5)), pay(pending, at(2), amount(5))}, noChange, false},
		{"the same without amounts", []*eventv1.PaymentStatusChanged{pay(pending, at(1), amount(5)), pay(pending, at(2))}, noChange, false},
		{"the same status, more paid", []*eventv1.PaymentStatusChanged{pay(pending, at(1), total(0)), pay(pending, at(2), total(5))}, applied, false},
		{"the same status, a fee", []*eventv1.PaymentStatusChanged{pay(paid, at(1), amount(5)), pay(paid, at(1), amount(5), fee(1))}, applied, false},
		{"older, same status, less paid", []*eventv1.PaymentStatusChanged{pay(pending, at(2), total(9)), pay(pending, at(1), total(5))}, stale, false},
		{
			"declined capture of a living payment",
			[]*eventv1.PaymentStatusChanged{pay(authorized, at(1)), pay(failed, at(2), operation("c", eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED))},
			noChange, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			tell(c.story...)
			last := c.story[len(c.story)-1]
			if last.GetDisposition() != c.want || last.GetUnexpectedTransition() != c.unexpected {
				t.Errorf("got %v, unexpected %v; want %v, %v", last.GetDisposition(), last.GetUnexpectedTransition(), c.want, c.unexpected)
			}
			if want := c.want == applied; (last.GetPaymentVersion() == int64(len(c.story))) != want {
				t.Errorf("payment_version %d after %d events with disposition %v", last.GetPaymentVersion(), len(c.story), c.want)
			}
		})
	}
}

func TestDeclinedCaptureReportsTheStatusThatStays(t *testing.T) {
	e := pay(failed, at(2), operation("c", eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED))
	state := tell(pay(authorized, at(1), amount(9200)), e)
	if e.GetPaymentStatus() != authorized || e.GetPreviousPaymentStatus() != authorized {
		t.Errorf("got %v before %v, want AUTHORIZED twice", e.GetPreviousPaymentStatus(), e.GetPaymentStatus())
	}
	if got := state.GetMachines()["payment"].GetLast().GetPaymentStatus(); got != authorized {
		t.Errorf("state is %v, want AUTHORIZED", got)
	}
}

// A declined capture may overtake the authorization that it belongs to.
func TestDeclinedCaptureOfAnUnknownPaymentIsNotFinal(t *testing.T) {
	e := pay(failed, at(2), final, operation("c", eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED))
	tell(e)
	if e.GetFinal() {
		t.Error("the payment is finally failed")
	}
}

func TestEqualCapturesAddUp(t *testing.T) {
	first := pay(paid, at(3), amount(5000), succeeded("c1", eventv1.Operation_OPERATION_CAPTURE))
	second := pay(paid, at(2), amount(5000), succeeded("c2", eventv1.Operation_OPERATION_CAPTURE)) // older, but new money
	again := pay(paid, at(4), amount(5000), succeeded("c2", eventv1.Operation_OPERATION_CAPTURE))
	state := tell(pay(authorized, at(1), amount(10000)), first, second, again)

	if first.GetAmountPaid().GetMinorUnits() != 5000 || second.GetAmountPaid().GetMinorUnits() != 10000 {
		t.Errorf("amount_paid is %v then %v, want 5000 then 10000", first.GetAmountPaid(), second.GetAmountPaid())
	}
	if second.GetDisposition() != applied || again.GetDisposition() != noChange {
		t.Errorf("got %v then %v, want APPLIED then NO_CHANGE", second.GetDisposition(), again.GetDisposition())
	}
	last := state.GetMachines()["payment"].GetLast()
	if !proto.Equal(last.GetAmount(), mxn(10000)) || !proto.Equal(last.GetAmountPaid(), mxn(10000)) {
		t.Errorf("the payment has amount %v, paid %v; want 10000 and 10000", last.GetAmount(), last.GetAmountPaid())
	}
}

func TestVoidOfAPaidPaymentReversesIt(t *testing.T) {
	void := func() *eventv1.PaymentStatusChanged {
		return pay(canceled, at(5), succeeded("v", eventv1.Operation_OPERATION_VOID))
	}
	again := void()
	if payment.Decide(tell(pay(paid, at(1)), pay(reversed, at(4))), again, reversed); again.GetPaymentStatus() != reversed || again.GetDisposition() != noChange {
		t.Errorf("told again: %v, %v; want REVERSED, NO_CHANGE", again.GetPaymentStatus(), again.GetDisposition())
	}
	for before, want := range map[eventv1.PaymentStatus]eventv1.PaymentStatus{authorized: canceled, paid: reversed, settled: reversed} {
		state, e := tell(pay(before, at(1))), void()
		payment.Decide(state, e, reversed)
		if e.GetPaymentStatus() != want || e.GetDisposition() != applied {
			t.Errorf("after %v: got %v, %v; want %v, APPLIED", before, e.GetPaymentStatus(), e.GetDisposition(), want)
		}
	}
}

func TestRefundsHaveTheirOwnMachinesAndOneSum(t *testing.T) {
	const ok = eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED
	one := refund(ok, at(2), amount(300), succeeded("r1", eventv1.Operation_OPERATION_REFUND))
	two := refund(ok, at(3), amount(200), succeeded("r2", eventv1.Operation_OPERATION_REFUND))
	bounced := refund(eventv1.RefundStatus_REFUND_STATUS_FAILED, at(4), amount(300),
		operation("r1", eventv1.Operation_OPERATION_REFUND, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED))
	state := tell(pay(paid, at(1), amount(1000)), one, two, bounced)

	for i, want := range []struct {
		e   *eventv1.PaymentStatusChanged
		sum int64
	}{{one, 300}, {two, 500}, {bounced, 200}} {
		if want.e.GetDisposition() != applied || want.e.GetAmountRefunded().GetMinorUnits() != want.sum {
			t.Errorf("refund event %d: %v with sum %v, want APPLIED with %d", i, want.e.GetDisposition(), want.e.GetAmountRefunded(), want.sum)
		}
	}
	if got := state.GetMachines()["payment"].GetLast().GetPaymentStatus(); got != paid {
		t.Errorf("the payment is %v, want PAID", got)
	}
	if state.GetVersion() != 4 {
		t.Errorf("version %d, want 4", state.GetVersion())
	}
}

func in(currency string, minor int64) option {
	return func(e *eventv1.PaymentStatusChanged) {
		e.Amount = &eventv1.Money{CurrencyCode: currency, MinorUnits: minor, Exponent: 2}
	}
}

func sum(m *eventv1.Money) string {
	if m == nil {
		return "none"
	}
	return fmt.Sprint(m.GetMinorUnits(), " ", m.GetCurrencyCode())
}

func TestSumsOfTwoCurrenciesStayAbsent(t *testing.T) {
	const refunding, capturing = eventv1.Operation_OPERATION_REFUND, eventv1.Operation_OPERATION_CAPTURE
	state := &ledgerv1.PaymentState{}
	for i, c := range []struct {
		e    *eventv1.PaymentStatusChanged
		want string
	}{
		{pay(paid, at(1), in("BRL", 3000), succeeded("c1", capturing)), "3000 BRL, none"},
		{pay(paid, at(2), in("USD", 2000), succeeded("c2", capturing)), "none, none"},
		{pay(paid, at(3), in("BRL", 1000), succeeded("c3", capturing)), "none, none"},
		{refund(refunded, at(4), in("USD", 100), succeeded("r1", refunding)), "none, 100 USD"},
		{refund(refunded, at(5), in("EUR", 50), succeeded("r2", refunding)), "none, none"},
		{refund(refunded, at(6), in("USD", 20), succeeded("r3", refunding)), "none, none"},
		{refund(bounced, at(7), in("EUR", 50), operation("r2", refunding, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED)), "none, 120 USD"},
		{pay(settled, at(8)), "none, 120 USD"},
	} {
		decided(state, c.e)
		if got := sum(state.GetMachines()["payment"].GetLast().GetAmountPaid()) + ", " + sum(payment.Refunded(state)); c.e.GetDisposition() != applied || got != c.want {
			t.Errorf("event %d is %v, the sums are %s; want APPLIED and %s", i+1, c.e.GetDisposition(), got, c.want)
		}
		if got := sum(c.e.GetAmountPaid()) + ", " + sum(c.e.GetAmountRefunded()); c.e.GetKind() == eventv1.Kind_KIND_REFUND && got != c.want {
			t.Errorf("event %d says %s, want %s", i+1, got, c.want)
		}
	}
}

// Views of earlier versions know no currencies of operations.
func TestOperationsWithoutACurrencyHaveThatOfTheSum(t *testing.T) {
	state := tell(pay(paid, at(1), in("BRL", 3000), succeeded("c1", eventv1.Operation_OPERATION_CAPTURE)))
	state.CurrencyByOperation = nil
	for currency, want := range map[string]string{"BRL": "4000 BRL", "USD": "none"} {
		e := pay(paid, at(2), in(currency, 1000), succeeded("c2", eventv1.Operation_OPERATION_CAPTURE))
		if payment.Decide(state, e, 0); sum(e.GetAmountPaid()) != want {
			t.Errorf("with %s: %s, want %s", currency, sum(e.GetAmountPaid()), want)
		}
	}
}

// A refund that bounced is not refunded again by the late notice of its success.
func TestLateSuccessOfARefundDoesNotOutrankItsFailure(t *testing.T) {
	const refunding = eventv1.Operation_OPERATION_REFUND
	late := refund(refunded, at(1), amount(30), succeeded("r", refunding))
	state := tell(
		pay(paid, at(0), amount(100)),
		refund(bounced, at(5), amount(30), operation("r", refunding, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED)), late,
	)
	if late.GetDisposition() != stale || late.GetAmountRefunded() != nil || payment.Refunded(state) != nil {
		t.Errorf("%v with sum %v, want STALE; refunded %v", late.GetDisposition(), late.GetAmountRefunded(), payment.Refunded(state))
	}
	after := refund(refunded, at(6), amount(30), succeeded("r", refunding))
	if decided(state, after); after.GetDisposition() != applied || !after.GetUnexpectedTransition() {
		t.Errorf("a success after it: %v, unexpected %v; want APPLIED, true", after.GetDisposition(), after.GetUnexpectedTransition())
	}
}

func TestWhatIsNotAppliedIsInNoSum(t *testing.T) {
	const refunding = eventv1.Operation_OPERATION_REFUND
	again := refund(refunded, at(3), amount(30), succeeded("r1", refunding))
	lateFailure := refund(bounced, at(1), amount(30), operation("r1", refunding, eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED))
	open := refund(eventv1.RefundStatus_REFUND_STATUS_PENDING, at(4), amount(30), operation("r1", refunding, eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING))
	older := pay(paid, at(1), amount(90), succeeded("p", eventv1.Operation_OPERATION_SALE))
	state := tell(
		pay(paid, at(2), amount(100), succeeded("p", eventv1.Operation_OPERATION_SALE)),
		refund(refunded, at(2), amount(30), succeeded("r1", refunding)), refund(refunded, at(2), amount(20), succeeded("r2", refunding)),
		again, lateFailure, open, older,
	)
	for name, c := range map[string]struct {
		e    *eventv1.PaymentStatusChanged
		want eventv1.Disposition
	}{
		"a refund again, after another one": {again, noChange}, "a late failure": {lateFailure, stale}, "open after it succeeded": {open, anomaly},
		"an older amount of the same sale": {older, stale},
	} {
		if c.e.GetDisposition() != c.want || c.e.GetAmountPaid() != nil || c.e.GetAmountRefunded() != nil {
			t.Errorf("%s: %v with %v and %v, want %v without sums", name, c.e.GetDisposition(), c.e.GetAmountPaid(), c.e.GetAmountRefunded(), c.want)
		}
	}
	if got := sum(payment.Refunded(state)); got != "50 MXN" || state.GetVersion() != 3 {
		t.Errorf("refunded %s at version %d, want 50 MXN at 3", got, state.GetVersion())
	}
}

// The outcome of a capture may be open. What is open itself then is what the capture is.
func TestOpenCaptureMovesOnlyAPaymentThatIsOpen(t *testing.T) {
	for before, want := range map[eventv1.PaymentStatus]eventv1.PaymentStatus{pending: processing, action: processing, authorized: authorized, paid: paid} {
		e := pay(processing, at(2), operation("c", eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING))
		e.ActionBy = eventv1.ActionBy_ACTION_BY_MERCHANT
		tell(pay(before, at(1)), e)
		moved := want == processing
		if e.GetPaymentStatus() != want || (e.GetDisposition() == applied) != moved || (e.GetActionBy() != 0) != moved {
			t.Errorf("after %v: %v, %v, by %v; want %v", before, e.GetPaymentStatus(), e.GetDisposition(), e.GetActionBy(), want)
		}
	}
}

func TestDecideLeavesStateAlone(t *testing.T) {
	state := tell(pay(authorized, at(1), amount(100)))
	before := proto.CloneOf(state)
	payment.Decide(state, pay(paid, at(2), amount(100), succeeded("c", eventv1.Operation_OPERATION_CAPTURE)), 0)
	if !proto.Equal(before, state) {
		t.Errorf("state changed:\n got %v\nwant %v", state, before)
	}
}

// A view that was rebuilt from the events must judge the next fact as before.
func TestStateRebuiltFromEventsIsTheSame(t *testing.T) {
	story := []*eventv1.PaymentStatusChanged{
		pay(pending, at(1), amount(100)),
		pay(authorized, at(2), amount(100)),
		pay(pending, at(1), amount(100)),
		pay(paid, at(3), amount(60), succeeded("c1", eventv1.Operation_OPERATION_CAPTURE)),
		pay(paid, at(4), amount(40), succeeded("c2", eventv1.Operation_OPERATION_CAPTURE)),
		refund(eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, at(5), amount(10), succeeded("r", eventv1.Operation_OPERATION_REFUND)),
	}
	told := tell(story...)
	rebuilt := &ledgerv1.PaymentState{}
	for _, e := range story {
		payment.Advance(rebuilt, e)
	}
	if !proto.Equal(told, rebuilt) {
		t.Errorf("rebuilt state differs:\n got %v\nwant %v", rebuilt, told)
	}
}

// A last event need not be kept whole where the events are.
// An event that lacks one thing of what is known of its payment, and nothing else.
func TestWhatAnEventLeavesOutIsKept(t *testing.T) {
	whole := func() *eventv1.PaymentStatusChanged {
		e := pay(paid, amount(100), total(100), fee(3))
		e.AmountRefunded, e.PresentationAmount, e.MerchantReference = mxn(1), mxn(2), "order-1"
		e.Disposition, e.PaymentVersion = applied, 1
		return e
	}
	for name, leaveOut := range map[string]option{
		"nothing":             func(*eventv1.PaymentStatusChanged) {},
		"amount":              func(e *eventv1.PaymentStatusChanged) { e.Amount = nil },
		"amount_paid":         func(e *eventv1.PaymentStatusChanged) { e.AmountPaid = nil },
		"amount_refunded":     func(e *eventv1.PaymentStatusChanged) { e.AmountRefunded = nil },
		"fee":                 func(e *eventv1.PaymentStatusChanged) { e.Fee = nil },
		"presentation_amount": func(e *eventv1.PaymentStatusChanged) { e.PresentationAmount = nil },
		"merchant_reference":  func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "" },
	} {
		t.Run(name, func(t *testing.T) {
			state, next := &ledgerv1.PaymentState{}, whole()
			payment.Advance(state, whole())
			leaveOut(next)
			before := proto.CloneOf(next)
			payment.Advance(state, next)
			if got := state.GetMachines()["payment"].GetLast(); !proto.Equal(got, whole()) {
				t.Errorf("known of the payment is\n%v\nwant\n%v", got, whole())
			}
			if !proto.Equal(next, before) {
				t.Errorf("the event itself became\n%v", next)
			}
		})
	}
}

func TestLastEventIsRestoredFromItselfAndWhatIsKept(t *testing.T) {
	nothing := func(e *eventv1.PaymentStatusChanged) { e.Amount = mxn(0) }
	referred := func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "order-1" }
	state := &ledgerv1.PaymentState{}
	for i, e := range []*eventv1.PaymentStatusChanged{
		pay(pending, at(1), nothing, referred),
		pay(authorized, at(2), amount(100), fee(3)),
		pay(paid, at(3), amount(60), total(60), succeeded("c1", eventv1.Operation_OPERATION_CAPTURE)),
		pay(paid, at(4), amount(40), succeeded("c2", eventv1.Operation_OPERATION_CAPTURE)),
		refund(eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, at(5), amount(10), succeeded("r", eventv1.Operation_OPERATION_REFUND)),
		pay(settled, at(6)),
	} {
		payment.Decide(state, e, 0)
		e.Cursor = int64(i + 1)
		published := proto.CloneOf(e)
		payment.Advance(state, e)
		for key, m := range state.GetMachines() {
			if m.GetLast().GetCursor() != published.GetCursor() {
				continue
			}
			payment.Restore(published, payment.Kept(m.GetLast()))
			if !proto.Equal(published, m.GetLast()) {
				t.Errorf("event %d, the last of %s, is restored as %v, want %v", i+1, key, published, m.GetLast())
			}
		}
	}
	if last := state.GetMachines()["payment"].GetLast(); last.GetCursor() != 6 || last.GetFee().GetMinorUnits() != 3 || last.GetMerchantReference() != "order-1" {
		t.Errorf("the last event is %v", last)
	}
}
