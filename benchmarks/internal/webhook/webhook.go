// Package webhook makes the deliveries that the benchmarks send: checkout
// notifications of Clip in their full shape, and batches of SingleView. Every
// payment in a delivery is a fact of its own with fresh IDs; two facts belong to
// a payment.
//
// Source of Clip's shape: https://developer.clip.mx/reference/checkout-webhook
package webhook

import (
	"bytes"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// MaxBody is the length of the largest body, in bytes: what paynorm takes as it comes.
const MaxBody = 1 << 20

// half is how many deliveries lie between the two of a payment. It is above the
// usual number of connections, so that they mostly arrive in order.
const half = 512

// payment returns the number of the payment, or of the batch of payments, that
// delivery seq is about.
func payment(seq uint64) uint64 { return seq/(2*half)*half + seq%half }

// second reports whether delivery seq is the second of its payment.
func second(seq uint64) bool { return seq/half%2 == 1 }

// Source makes the notifications of Clip of one run. The same run and sequence
// number always give the same bytes. It may be used by several goroutines.
type Source struct {
	run                uint32
	target             target
	created, completed status
}

// New returns the source of a run, whose bodies are body bytes long, from
// [Shortest] to [MaxBody]; 0 leaves them as Clip sends them.
func New(run uint32, to Target, body int) *Source {
	created, completed := kinds()
	return &Source{run: run, target: to.of("clip"), created: created.padded(body), completed: completed.padded(body)}
}

// AppendRequest appends the complete HTTP/1.1 request of delivery seq.
func (s *Source) AppendRequest(dst []byte, seq uint64) []byte {
	return s.AppendBody(s.target.appendHead(dst, seq, s.status(seq).length()), seq)
}

// AppendBody appends the body of delivery seq.
func (s *Source) AppendBody(dst []byte, seq uint64) []byte {
	status, payment := s.status(seq), payment(seq)
	dst = append(dst, beforeID...)
	dst = appendID(dst, s.run, notificationID, seq)
	dst = append(dst, beforePayment...)
	dst = appendID(dst, s.run, paymentID, payment)
	dst = append(dst, beforeAttempt...)
	dst = appendID(dst, s.run, attemptID, seq)
	dst = append(dst, status.middle...)
	dst = appendHex(dst, payment, referenceDigits)
	return append(dst, status.end...)
}

// Delivery finds the sequence number in the body of a delivery of this run.
func (s *Source) Delivery(body []byte) (seq uint64, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(beforeID))
	if !ok || len(rest) < idLength {
		return 0, false
	}
	run, seq, ok := parseID(string(rest[:idLength]), notificationID)
	return seq, ok && run == s.run
}

// Attempt finds the sequence number in the transaction_id of a delivery of this run.
func (s *Source) Attempt(transactionID string) (seq uint64, ok bool) {
	run, seq, ok := parseID(transactionID, attemptID)
	return seq, ok && run == s.run
}

// Payment returns the payment_request_id in delivery seq.
func (s *Source) Payment(seq uint64) string {
	return string(appendID(nil, s.run, paymentID, payment(seq)))
}

// Facts returns how many facts a delivery tells.
func (s *Source) Facts() int { return 1 }

// Subject returns the middle of the subjects of delivery seq's events: mode, provider and merchant.
func (s *Source) Subject(seq uint64) string { return s.target.subject(seq) }

// Says reports whether e is what delivery seq says.
func (s *Source) Says(seq uint64, e *eventv1.PaymentStatusChanged) bool {
	attempt, ok := s.Attempt(e.GetProviderAttemptId())
	return ok && attempt == seq && e.GetProviderStatus() == s.status(seq).word && e.GetMerchant() == s.target.merchant(seq) &&
		e.GetProviderPaymentId() == s.Payment(seq)
}

// status returns the kind of delivery seq: a payment's first says CREATED, its second COMPLETED.
func (s *Source) status(seq uint64) *status {
	if second(seq) {
		return &s.completed
	}
	return &s.created
}
