// Package webhook makes the deliveries that the benchmarks send: checkout
// notifications of Clip in their full shape, about 1 KB each. Every delivery is
// a fact of its own with fresh IDs; two of them belong to a payment.
//
// Source of the shape: https://developer.clip.mx/reference/checkout-webhook
package webhook

import (
	"bytes"
	"strconv"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// half is how many deliveries lie between the two of a payment. It is above the
// usual number of connections, so that they mostly arrive in order.
const half = 512

// Source makes the deliveries of one run. The same run and sequence number
// always give the same bytes. It may be used by several goroutines.
type Source struct {
	run  uint32
	head []byte // of a request, up to the length of its body
}

// New returns the source of a run for requests to host (as host:port) and path,
// query included.
func New(run uint32, host, path string) *Source {
	return &Source{run: run, head: []byte("POST " + path + " HTTP/1.1\r\nHost: " + host +
		"\r\nUser-Agent: paynorm-benchmarks\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: ")}
}

// AppendRequest appends the complete HTTP/1.1 request of delivery seq.
func (s *Source) AppendRequest(dst []byte, seq uint64) []byte {
	status := statusOf(seq)
	dst = append(dst, s.head...)
	dst = strconv.AppendInt(dst, int64(status.length()), 10)
	dst = append(dst, "\r\n\r\n"...)
	return s.AppendBody(dst, seq)
}

// AppendBody appends the body of delivery seq.
func (s *Source) AppendBody(dst []byte, seq uint64) []byte {
	status, payment := statusOf(seq), payment(seq)
	dst = append(dst, first...)
	dst = appendID(dst, s.run, notificationID, seq)
	dst = append(dst, second...)
	dst = appendID(dst, s.run, paymentID, payment)
	dst = append(dst, third...)
	dst = appendID(dst, s.run, attemptID, seq)
	dst = append(dst, status.middle...)
	dst = appendHex(dst, payment, referenceDigits)
	return append(dst, status.end...)
}

// payment returns the number of the payment that delivery seq is about.
func payment(seq uint64) uint64 { return seq/(2*half)*half + seq%half }

// Delivery finds the sequence number in the body of a delivery of this run.
func (s *Source) Delivery(body []byte) (seq uint64, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(first))
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

// Says reports whether e is what delivery seq says.
func (s *Source) Says(seq uint64, e *eventv1.PaymentStatusChanged) bool {
	attempt, ok := s.Attempt(e.GetProviderAttemptId())
	return ok && attempt == seq && e.GetProviderStatus() == statusOf(seq).word &&
		e.GetProviderPaymentId() == string(appendID(nil, s.run, paymentID, payment(seq)))
}

// status is one of the two kinds of delivery: what stands around the IDs.
type status struct{ word, middle, end string }

func (s status) length() int {
	return len(first) + len(second) + len(third) + 3*idLength + len(s.middle) + referenceDigits + len(s.end)
}

// statusOf returns the kind of delivery seq: a payment's first says CREATED, its second COMPLETED.
func statusOf(seq uint64) status {
	if seq/half%2 == 0 {
		return status{"CREATED", createdMiddle, createdEnd}
	}
	return status{"COMPLETED", completedMiddle, completedEnd}
}
