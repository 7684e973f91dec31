package payment

import (
	"maps"
	"math"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

// tally is where the operations of e's kind are counted.
type tally struct {
	byOperation map[string]int64
	total       *eventv1.Money // what the last event said; nil at first
}

// takes reports whether e is a provider's report of one operation that moved
// money, so that its amount adds to a sum.
func takes(e *eventv1.PaymentStatusChanged) bool {
	if e.GetOperationOutcome() != eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED ||
		e.GetProviderOperationId() == "" || e.GetAmount() == nil {
		return false
	}
	switch e.GetOperation() {
	case eventv1.Operation_OPERATION_SALE, eventv1.Operation_OPERATION_CAPTURE, eventv1.Operation_OPERATION_RECEIPT:
		return e.GetKind() == eventv1.Kind_KIND_PAYMENT && statusOf(e) == paid
	case eventv1.Operation_OPERATION_REFUND:
		return e.GetKind() == eventv1.Kind_KIND_REFUND
	}
	return false
}

func tallyOf(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) tally {
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		return tally{state.GetRefundedByOperation(), lastRefunded(state)}
	}
	return tally{state.GetPaidByOperation(), state.GetMachines()["payment"].GetLast().GetAmountPaid()}
}

// lastRefunded returns the sum that the newest refund event of the payment with
// a sum carried.
func lastRefunded(state *ledgerv1.PaymentState) *eventv1.Money {
	var newest *eventv1.PaymentStatusChanged
	for _, m := range state.GetMachines() {
		if l := m.GetLast(); l.GetAmountRefunded() != nil && l.GetPaymentVersion() > newest.GetPaymentVersion() {
			newest = l
		}
	}
	return newest.GetAmountRefunded()
}

// accumulate sets e's cumulative amount where the provider reports each
// operation, and reports whether e adds an operation that was not counted yet,
// or counts one differently. Sums of several currencies, or beyond int64, do
// not exist: the amount then stays absent.
func accumulate(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) (added bool) {
	if e.GetKind() == eventv1.Kind_KIND_REFUND && statusOf(e) != refundSucceeded {
		return takeBack(state, e)
	}
	if !takes(e) {
		return false
	}
	t := tallyOf(state, e)
	before, counted := t.byOperation[e.GetProviderOperationId()]
	sum := e.GetAmount().GetMinorUnits()
	for op, n := range t.byOperation {
		if op == e.GetProviderOperationId() {
			continue
		}
		if sum > math.MaxInt64-n {
			return !counted
		}
		sum += n
	}
	if t.total != nil && t.total.GetCurrencyCode() != e.GetAmount().GetCurrencyCode() {
		return !counted
	}
	setSum(e, e.GetAmount(), sum)
	return !counted || before != e.GetAmount().GetMinorUnits()
}

// setSum sets the cumulative amount of e's kind to units of amount's currency.
func setSum(e *eventv1.PaymentStatusChanged, amount *eventv1.Money, units int64) {
	sum := &eventv1.Money{CurrencyCode: amount.GetCurrencyCode(), MinorUnits: units, Exponent: amount.GetExponent()}
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		e.AmountRefunded = sum
	} else {
		e.AmountPaid = sum
	}
}

// takeBack lowers the refunded sum when a refund that succeeded fails after all.
func takeBack(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) bool {
	t := tallyOf(state, e)
	n, counted := t.byOperation[e.GetProviderOperationId()]
	if counted && t.total != nil {
		setSum(e, t.total, t.total.GetMinorUnits()-n)
	}
	return false
}

// countOperation remembers the operation of an applied event.
func countOperation(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) {
	if e.GetKind() == eventv1.Kind_KIND_REFUND && statusOf(e) != refundSucceeded {
		dropOperation(state, e)
		return
	}
	if !takes(e) {
		return
	}
	// The maps may be shared with an earlier copy of the state.
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		state.RefundedByOperation = with(state.GetRefundedByOperation(), e)
	} else {
		state.PaidByOperation = with(state.GetPaidByOperation(), e)
	}
}

func with(m map[string]int64, e *eventv1.PaymentStatusChanged) map[string]int64 {
	n := maps.Clone(m)
	if n == nil {
		n = map[string]int64{}
	}
	n[e.GetProviderOperationId()] = e.GetAmount().GetMinorUnits()
	return n
}

// ofOperation reports whether e's amount is that of a follow-up operation and
// not that of the payment.
func ofOperation(e *eventv1.PaymentStatusChanged) bool {
	return e.GetOperation() == eventv1.Operation_OPERATION_CAPTURE || e.GetOperation() == eventv1.Operation_OPERATION_VOID
}

// sameAmounts reports whether e says nothing new about money. What e leaves out
// is not new.
func sameAmounts(last, e *eventv1.PaymentStatusChanged) bool {
	same := func(known, said *eventv1.Money) bool { return said == nil || proto.Equal(known, said) }
	return (ofOperation(e) || same(last.GetAmount(), e.GetAmount())) &&
		same(last.GetAmountPaid(), e.GetAmountPaid()) &&
		same(last.GetAmountRefunded(), e.GetAmountRefunded()) &&
		same(last.GetFee(), e.GetFee()) &&
		same(last.GetPresentationAmount(), e.GetPresentationAmount())
}

// keepAmounts returns e with the amounts that it leaves out taken from last,
// and with the payment's amount instead of a capture's. It is e itself when there
// are none, else a copy.
func keepAmounts(last, e *eventv1.PaymentStatusChanged) *eventv1.PaymentStatusChanged {
	kept := e
	own := func() *eventv1.PaymentStatusChanged {
		if kept == e {
			kept = proto.CloneOf(e)
		}
		return kept
	}
	if known := last.GetAmount(); known != nil && (e.GetAmount() == nil || ofOperation(e)) {
		own().Amount = known
	}
	if known := last.GetAmountPaid(); known != nil && e.GetAmountPaid() == nil {
		own().AmountPaid = known
	}
	if known := last.GetAmountRefunded(); known != nil && e.GetAmountRefunded() == nil {
		own().AmountRefunded = known
	}
	if known := last.GetFee(); known != nil && e.GetFee() == nil {
		own().Fee = known
	}
	if known := last.GetPresentationAmount(); known != nil && e.GetPresentationAmount() == nil {
		own().PresentationAmount = known
	}
	if known := last.GetMerchantReference(); known != "" && e.GetMerchantReference() == "" {
		own().MerchantReference = known
	}
	return kept
}

// Kept returns what is to be kept of last, the last event of a state machine, when
// the event is kept elsewhere: its cursor, and what may stem from earlier events.
func Kept(last *eventv1.PaymentStatusChanged) *eventv1.PaymentStatusChanged {
	return &eventv1.PaymentStatusChanged{
		Cursor: last.GetCursor(), Amount: last.GetAmount(), AmountPaid: last.GetAmountPaid(), AmountRefunded: last.GetAmountRefunded(),
		Fee: last.GetFee(), PresentationAmount: last.GetPresentationAmount(), MerchantReference: last.GetMerchantReference(),
	}
}

// Restore makes e, an event as it was published, the last event of a state
// machine again, of which Kept returned kept.
func Restore(e, kept *eventv1.PaymentStatusChanged) {
	e.Amount, e.AmountPaid, e.AmountRefunded = kept.GetAmount(), kept.GetAmountPaid(), kept.GetAmountRefunded()
	e.Fee, e.PresentationAmount, e.MerchantReference = kept.GetFee(), kept.GetPresentationAmount(), kept.GetMerchantReference()
}

// uncount forgets the operation of superseded, which e says otherwise.
func uncount(state *ledgerv1.PaymentState, superseded, e *eventv1.PaymentStatusChanged) {
	if !takes(superseded) || takes(e) && e.GetKind() == superseded.GetKind() && e.GetProviderOperationId() == superseded.GetProviderOperationId() {
		return
	}
	dropOperation(state, superseded)
}

// dropOperation forgets the operation of e.
func dropOperation(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) {
	// The maps may be shared with an earlier copy of the state.
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		state.RefundedByOperation = maps.Clone(state.GetRefundedByOperation())
		delete(state.GetRefundedByOperation(), e.GetProviderOperationId())
	} else {
		state.PaidByOperation = maps.Clone(state.GetPaidByOperation())
		delete(state.GetPaidByOperation(), e.GetProviderOperationId())
	}
}

// sumWithout sets e's cumulative amount to what is left when superseded took
// money and e, which corrects it, does not. state no longer counts superseded.
func sumWithout(state *ledgerv1.PaymentState, superseded, e *eventv1.PaymentStatusChanged) {
	if !takes(superseded) || takes(e) || e.GetKind() != superseded.GetKind() {
		return
	}
	left := int64(0)
	for _, n := range tallyOf(state, superseded).byOperation {
		if left > math.MaxInt64-n {
			return
		}
		left += n
	}
	setSum(e, superseded.GetAmount(), left)
}
