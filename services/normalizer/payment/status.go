package payment

import eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"

// statusOf returns the status of e's own kind.
func statusOf(e *eventv1.PaymentStatusChanged) status {
	switch e.GetKind() {
	case eventv1.Kind_KIND_PAYMENT:
		return status(e.GetPaymentStatus())
	case eventv1.Kind_KIND_REFUND:
		return status(e.GetRefundStatus())
	case eventv1.Kind_KIND_DISPUTE:
		return status(e.GetDisputeStatus())
	case eventv1.Kind_KIND_PROOF:
		return status(e.GetProofStatus())
	}
	return 0
}

func setPaymentStatus(e *eventv1.PaymentStatusChanged, s eventv1.PaymentStatus) {
	e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: s}
}

func setPrevious(e *eventv1.PaymentStatusChanged, s status) {
	switch e.GetKind() {
	case eventv1.Kind_KIND_PAYMENT:
		e.PreviousStatus = &eventv1.PaymentStatusChanged_PreviousPaymentStatus{PreviousPaymentStatus: eventv1.PaymentStatus(s)}
	case eventv1.Kind_KIND_REFUND:
		e.PreviousStatus = &eventv1.PaymentStatusChanged_PreviousRefundStatus{PreviousRefundStatus: eventv1.RefundStatus(s)}
	case eventv1.Kind_KIND_DISPUTE:
		e.PreviousStatus = &eventv1.PaymentStatusChanged_PreviousDisputeStatus{PreviousDisputeStatus: eventv1.DisputeStatus(s)}
	case eventv1.Kind_KIND_PROOF:
		e.PreviousStatus = &eventv1.PaymentStatusChanged_PreviousProofStatus{PreviousProofStatus: eventv1.ProofStatus(s)}
	}
}

// previousOf returns the status that e says it followed; 0 when it says none.
func previousOf(e *eventv1.PaymentStatusChanged) status {
	switch e.GetKind() {
	case eventv1.Kind_KIND_PAYMENT:
		return status(e.GetPreviousPaymentStatus())
	case eventv1.Kind_KIND_REFUND:
		return status(e.GetPreviousRefundStatus())
	case eventv1.Kind_KIND_DISPUTE:
		return status(e.GetPreviousDisputeStatus())
	case eventv1.Kind_KIND_PROOF:
		return status(e.GetPreviousProofStatus())
	}
	return 0
}
