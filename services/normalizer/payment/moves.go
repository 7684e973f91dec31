package payment

import eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"

// status is a status of any kind: the number of its enum value.
type status int32

const (
	pending        = status(eventv1.PaymentStatus_PAYMENT_STATUS_PENDING)
	requiresAction = status(eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION)
	processing     = status(eventv1.PaymentStatus_PAYMENT_STATUS_PROCESSING)
	authorized     = status(eventv1.PaymentStatus_PAYMENT_STATUS_AUTHORIZED)
	paid           = status(eventv1.PaymentStatus_PAYMENT_STATUS_PAID)
	settled        = status(eventv1.PaymentStatus_PAYMENT_STATUS_SETTLED)
	failed         = status(eventv1.PaymentStatus_PAYMENT_STATUS_FAILED)
	canceled       = status(eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED)
	expired        = status(eventv1.PaymentStatus_PAYMENT_STATUS_EXPIRED)
	reversed       = status(eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED)

	refundPending   = status(eventv1.RefundStatus_REFUND_STATUS_PENDING)
	refundSucceeded = status(eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED)
	refundFailed    = status(eventv1.RefundStatus_REFUND_STATUS_FAILED)
	refundCanceled  = status(eventv1.RefundStatus_REFUND_STATUS_CANCELED)

	inquiry     = status(eventv1.DisputeStatus_DISPUTE_STATUS_INQUIRY)
	opened      = status(eventv1.DisputeStatus_DISPUTE_STATUS_OPENED)
	underReview = status(eventv1.DisputeStatus_DISPUTE_STATUS_UNDER_REVIEW)
	won         = status(eventv1.DisputeStatus_DISPUTE_STATUS_WON)
	lost        = status(eventv1.DisputeStatus_DISPUTE_STATUS_LOST)
	closed      = status(eventv1.DisputeStatus_DISPUTE_STATUS_CLOSED)

	proofVerified = status(eventv1.ProofStatus_PROOF_STATUS_VERIFIED)
	proofCanceled = status(eventv1.ProofStatus_PROOF_STATUS_CANCELED)
)

// machine is the set of rules of one kind.
type machine struct {
	rank  map[status]int      // orders statuses whose provider times do not
	moves map[status][]status // the moves that are expected
	final []status            // nothing is expected after these; FAILED payments say it themselves
	money []status            // applied whatever their time, when they lead up in rank
}

var machines = map[eventv1.Kind]machine{
	eventv1.Kind_KIND_PAYMENT: {
		rank: map[status]int{
			pending: 0, requiresAction: 1, processing: 2, authorized: 3,
			failed: 4, canceled: 4, expired: 4, paid: 5, settled: 6, reversed: 7,
		},
		moves: map[status][]status{
			pending:        {requiresAction, processing, authorized, paid, settled, failed, canceled, expired},
			requiresAction: {pending, processing, authorized, paid, settled, failed, canceled, expired},
			processing:     {pending, requiresAction, authorized, paid, settled, failed, canceled, expired},
			authorized:     {paid, settled, failed, canceled, expired},
			failed:         {pending, requiresAction, processing, authorized, paid, canceled, expired},
			paid:           {settled, reversed},
			settled:        {reversed},
		},
		final: []status{canceled, expired, reversed},
		money: []status{paid, settled, reversed},
	},
	eventv1.Kind_KIND_REFUND: {
		rank: map[status]int{refundPending: 0, refundFailed: 1, refundCanceled: 1, refundSucceeded: 2},
		moves: map[status][]status{
			refundPending:   {refundSucceeded, refundFailed, refundCanceled},
			refundSucceeded: {refundFailed},
		},
		final: []status{refundFailed, refundCanceled},
	},
	eventv1.Kind_KIND_DISPUTE: {
		rank: map[status]int{inquiry: 0, opened: 1, underReview: 2, won: 3, lost: 3, closed: 3},
		moves: map[status][]status{
			inquiry:     {opened, underReview, won, lost, closed},
			opened:      {underReview, won, lost, closed},
			underReview: {won, lost, closed},
			won:         {lost},
			lost:        {won},
		},
		final: []status{closed},
	},
	eventv1.Kind_KIND_PROOF: {
		rank:  map[status]int{proofVerified: 0, proofCanceled: 1},
		moves: map[status][]status{proofVerified: {proofCanceled}},
		final: []status{proofCanceled},
	},
}
