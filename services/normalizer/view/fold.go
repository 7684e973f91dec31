package view

import (
	"cmp"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// The keys of the state machines of a payment that occur at most once.
const (
	machinePayment = "payment"
	machineProof   = "proof"
)

// Last returns the events that were applied last to each state machine of a
// payment, the most recent first.
func Last(s *ledgerv1.PaymentState) []*eventv1.PaymentStatusChanged {
	last := make([]*eventv1.PaymentStatusChanged, 0, len(s.GetMachines()))
	for _, m := range s.GetMachines() {
		if m.GetLast() != nil {
			last = append(last, m.GetLast())
		}
	}
	slices.SortFunc(last, func(a, b *eventv1.PaymentStatusChanged) int {
		return cmp.Compare(b.GetCursor(), a.GetCursor())
	})
	return last
}

// Lead returns the event that stands for the payment as a whole: the last of
// the payment itself, or else of its proof, or else of any refund or dispute.
// Nil when the state holds no event.
func Lead(s *ledgerv1.PaymentState) *eventv1.PaymentStatusChanged {
	for _, key := range []string{machinePayment, machineProof} {
		if e := s.GetMachines()[key].GetLast(); e != nil {
			return e
		}
	}
	if last := Last(s); len(last) > 0 {
		return last[0]
	}
	return nil
}

// MerchantReference returns the merchant's reference of a payment: that of
// the lead, or else the most recent that any event gives.
func MerchantReference(s *ledgerv1.PaymentState) string {
	if r := Lead(s).GetMerchantReference(); r != "" {
		return r
	}
	for _, e := range Last(s) {
		if r := e.GetMerchantReference(); r != "" {
			return r
		}
	}
	return ""
}

// classOfPayment holds what ListPayments filters by, so it must say the same
// as the Payment that is made of the state.
func classOfPayment(lead *eventv1.PaymentStatusChanged, s *ledgerv1.PaymentState) class {
	return class{
		of:       classOfPayments,
		provider: lead.GetProvider(), merchant: lead.GetMerchant(),
		mode: lead.GetMode(), direction: lead.GetDirection(),
		payment: s.GetMachines()[machinePayment].GetLast().GetPaymentStatus(),
		proof:   s.GetMachines()[machineProof].GetLast().GetProofStatus(),
	}
}
