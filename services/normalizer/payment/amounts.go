package payment

import (
	"cmp"
	"maps"
	"math"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"google.golang.org/protobuf/proto"
)

// tally is where the operations of e's kind are counted.
type tally struct {
	byOperation map[string]int64
	currencies  map[string]string
	known       string // the currency of operations without one; "" when there is none
}

// sum returns what all operations but one took, and in which currency; "" when there
// are none. ok is false when there are several currencies, or more than int64 holds.
func (t tally) sum(but string) (units int64, currency string, ok bool) {
	for op, n := range t.byOperation {
		if op == but {
			continue
		}
		c := t.currency(op)
		if currency != "" && currency != c || units > math.MaxInt64-n {
			return 0, "", false
		}
		units, currency = units+n, c
	}
	return units, currency, true
}

func (t tally) currency(op string) string { return cmp.Or(t.currencies[op], t.known) }

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
		return refunds(state)
	}
	return tally{
		state.GetPaidByOperation(), state.GetCurrencyByOperation(),
		state.GetMachines()["payment"].GetLast().GetAmountPaid().GetCurrencyCode(),
	}
}

func refunds(state *ledgerv1.PaymentState) tally {
	return tally{state.GetRefundedByOperation(), state.GetCurrencyByOperation(), lastRefunded(state).GetCurrencyCode()}
}

// lastRefunded returns the sum that the newest refund event of the payment with
// a sum carried.
func lastRefunded(state *ledgerv1.PaymentState) *eventv1.Money {
	var newest *eventv1.PaymentStatusChanged
	for _, m := range state.GetMachines() {
		l := m.GetLast()
		if l.GetAmountRefunded() != nil && cmp.Or(cmp.Compare(l.GetPaymentVersion(), newest.GetPaymentVersion()), cmp.Compare(l.GetCursor(), newest.GetCursor())) > 0 {
			newest = l
		}
	}
	return newest.GetAmountRefunded()
}

// Refunded returns what was refunded of a payment in all; nil when nothing is known,
// or when there is no sum, because of several currencies.
func Refunded(state *ledgerv1.PaymentState) *eventv1.Money {
	if _, _, ok := refunds(state).sum(""); !ok {
		return nil
	}
	return lastRefunded(state)
}

// accumulate sets e's cumulative amount where the provider reports each
// operation, and reports whether e adds an operation that was not counted yet,
// or corrects what was counted of one. Sums of several currencies, or beyond
// int64, do not exist: the amount then stays absent.
func accumulate(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) (added bool) {
	op := e.GetProviderOperationId()
	t := tallyOf(state, e)
	before, counted := t.byOperation[op]
	others, currency, ok := t.sum(op)
	switch {
	case takes(e):
		own := e.GetAmount()
		if ok && cmp.Or(currency, own.GetCurrencyCode()) == own.GetCurrencyCode() && others <= math.MaxInt64-own.GetMinorUnits() {
			setSum(e, own.GetCurrencyCode(), others+own.GetMinorUnits())
		}
		return !counted || e.GetSupersedes() != "" && before != own.GetMinorUnits()
	case takesBack(e) && counted && ok:
		setSum(e, cmp.Or(currency, t.currency(op)), others)
	}
	return false
}

// takesBack reports whether e says of a refund that it did not succeed, perhaps after all.
func takesBack(e *eventv1.PaymentStatusChanged) bool {
	return e.GetKind() == eventv1.Kind_KIND_REFUND && statusOf(e) != refundSucceeded
}

// setSum sets the cumulative amount of e's kind.
func setSum(e *eventv1.PaymentStatusChanged, currency string, units int64) {
	exponent, _ := money.Exponent(currency) // adapters know no others
	sum := &eventv1.Money{CurrencyCode: currency, MinorUnits: units, Exponent: exponent}
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		e.AmountRefunded = sum
	} else {
		e.AmountPaid = sum
	}
}

// countOperation remembers the operation of an applied event.
func countOperation(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) {
	if takesBack(e) {
		dropOperation(state, e)
		return
	}
	if !takes(e) {
		return
	}
	op, amount := e.GetProviderOperationId(), e.GetAmount()
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		state.RefundedByOperation = with(state.GetRefundedByOperation(), op, amount.GetMinorUnits())
	} else {
		state.PaidByOperation = with(state.GetPaidByOperation(), op, amount.GetMinorUnits())
	}
	state.CurrencyByOperation = with(state.GetCurrencyByOperation(), op, amount.GetCurrencyCode())
}

// with returns m with one more entry. m stays as it is: it may be shared with an
// earlier copy of the state.
func with[V any](m map[string]V, op string, v V) map[string]V {
	n := make(map[string]V, len(m)+1)
	maps.Copy(n, m)
	n[op] = v
	return n
}

// without returns m without an entry, and leaves m as it is.
func without[V any](m map[string]V, op string) map[string]V {
	n := maps.Clone(m)
	delete(n, op)
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
	refunded := takes(e) || same(last.GetAmountRefunded(), e.GetAmountRefunded()) // the sum of all refunds says nothing of this one
	return (ofOperation(e) || same(last.GetAmount(), e.GetAmount())) &&
		same(last.GetAmountPaid(), e.GetAmountPaid()) &&
		refunded &&
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
	// One that took money and has no sum: there is none.
	if known := last.GetAmountPaid(); known != nil && e.GetAmountPaid() == nil && !takes(e) {
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
	op := e.GetProviderOperationId()
	if e.GetKind() == eventv1.Kind_KIND_REFUND {
		state.RefundedByOperation = without(state.GetRefundedByOperation(), op)
	} else {
		state.PaidByOperation = without(state.GetPaidByOperation(), op)
	}
	state.CurrencyByOperation = without(state.GetCurrencyByOperation(), op)
}

// sumWithout sets e's cumulative amount to what is left when superseded took
// money and e, which corrects it, does not. state no longer counts superseded.
func sumWithout(state *ledgerv1.PaymentState, superseded, e *eventv1.PaymentStatusChanged) {
	if !takes(superseded) || takes(e) || e.GetKind() != superseded.GetKind() {
		return
	}
	if left, currency, ok := tallyOf(state, superseded).sum(""); ok {
		setSum(e, cmp.Or(currency, superseded.GetAmount().GetCurrencyCode()), left)
	}
}
