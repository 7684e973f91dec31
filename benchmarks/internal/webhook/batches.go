package webhook

import (
	"bytes"
	"strconv"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// MaxPayments is how many payments a batch may have. These need a quarter of [MaxBody].
const MaxPayments = 1000

// Batches makes the webhooks of SingleView of one run, each with a number of
// payments. The same run and sequence number always give the same bytes. It may
// be used by several goroutines.
//
// Source of the shape: https://docs.onesingleview.com/v1.0.4/docs/erp-integration-api-webhook-payment-enquiry
type Batches struct {
	run      uint32
	target   target
	payments uint64 // in each
	length   int    // of a body
}

// NewBatches returns the source of a run with that many payments in each
// webhook, from 1 to [MaxPayments].
func NewBatches(run uint32, to Target, payments int) *Batches {
	b := &Batches{run: run, target: to.of("singleview"), payments: uint64(payments)}
	b.length = len(b.AppendBody(nil, 0))
	return b
}

// A batch is batchStart, its payments with commas between them, and batchEnd. A
// payment is beforePayID, its ID, afterPayID, the number of the fact,
// beforeRef, the fact's ID and the end of its state. All bodies have one length.
const (
	batchStart  = `{"service":"svWebHookPaymentStatus","companyCode":"SV0001","payments":[`
	beforePayID = `{"payId":"`
	afterPayID  = `","authId":"407112358","seqNum":"`
	beforeRef   = `","svRefId":"`
	batchEnd    = `]}`
)

// state is what a payment's first and second webhook say.
type state struct{ word, end string }

func (b *Batches) state(seq uint64) state {
	const rest = `","amount":"1250.75","currency":"SAR","txnDate":"2026-02-22T20:`
	if second(seq) {
		return state{"0/3", rest + `31:05Z","status":0,"approval_status":3}`}
	}
	return state{"2/3", rest + `28:25Z","status":2,"approval_status":3}`}
}

// AppendRequest appends the complete HTTP/1.1 request of delivery seq.
func (b *Batches) AppendRequest(dst []byte, seq uint64) []byte {
	return b.AppendBody(b.target.appendHead(dst, seq, b.length), seq)
}

// AppendBody appends the body of delivery seq.
func (b *Batches) AppendBody(dst []byte, seq uint64) []byte {
	end := b.state(seq).end
	dst = append(dst, batchStart...)
	for i := range b.payments {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, beforePayID...)
		dst = b.appendPayment(dst, seq, i)
		dst = append(dst, afterPayID...)
		dst = appendDecimal(dst, b.fact(seq, i), 15)
		dst = append(dst, beforeRef...)
		dst = b.appendRef(dst, seq, i)
		dst = append(dst, end...)
	}
	return append(dst, batchEnd...)
}

// fact returns the number of the fact that payment i of delivery seq is.
func (b *Batches) fact(seq, i uint64) uint64 { return seq*b.payments + i }

func (b *Batches) appendPayment(dst []byte, seq, i uint64) []byte {
	return appendNumber(dst, b.run, b.fact(payment(seq), i))
}

func (b *Batches) appendRef(dst []byte, seq, i uint64) []byte {
	return appendNumber(dst, b.run, b.fact(seq, i))
}

// Delivery finds the sequence number in the body of a delivery of this run.
func (b *Batches) Delivery(body []byte) (seq uint64, ok bool) {
	_, rest, ok := bytes.Cut(body, []byte(beforeRef))
	if !ok || len(rest) < numberLength {
		return 0, false
	}
	run, err := strconv.ParseUint(string(rest[:runLength]), 10, 32)
	if err != nil || uint32(run) != b.run {
		return 0, false
	}
	n, err := strconv.ParseUint(string(rest[runLength:numberLength]), 10, 64)
	return n / b.payments, err == nil && n%b.payments == 0
}

// Facts returns how many facts a delivery tells.
func (b *Batches) Facts() int { return int(b.payments) }

// Subject returns the middle of the subjects of delivery seq's events: mode, provider and merchant.
func (b *Batches) Subject(seq uint64) string { return b.target.subject(seq) }

// Says reports whether e is what delivery seq says at e's place in it.
func (b *Batches) Says(seq uint64, e *eventv1.PaymentStatusChanged) bool {
	i := uint64(e.GetLedgerPosition().GetItem())
	return e.GetProviderAttemptId() == string(b.appendRef(nil, seq, i)) && e.GetProviderPaymentId() == string(b.appendPayment(nil, seq, i)) &&
		e.GetProviderStatus() == b.state(seq).word && e.GetMerchant() == b.target.merchant(seq)
}
