package normalize

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Names are hashes of what makes a fact the fact that it is: 160 bits of
// SHA-256 over length-prefixed parts. Changing how they are made would give
// every stored event a second name, so the label carries a version.
const (
	eventLabel      = "paynorm event v1"
	paymentLabel    = "paynorm payment v1"
	correctionLabel = "paynorm correction v1"
)

var lower = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// EventName returns the name of the fact that key identifies within the
// provider, merchant and mode of e.
func EventName(e *eventv1.PaymentStatusChanged, key []string) string {
	return "events/e" + digest(eventLabel, e, key)
}

// PaymentName returns the name of the payment that key identifies within the
// provider, merchant and mode of e.
func PaymentName(e *eventv1.PaymentStatusChanged, key []string) string {
	return "payments/p" + digest(paymentLabel, e, key)
}

// CorrectionName returns the name of the event that corrects the event named
// superseded by the command that is the commit numbered sequence of the ledger.
func CorrectionName(superseded string, sequence int64) string {
	parts := appendPart(nil, correctionLabel)
	parts = appendPart(parts, superseded)
	parts = appendPart(parts, strconv.FormatInt(sequence, 10))
	return "events/e" + sum(parts)
}

func digest(label string, e *eventv1.PaymentStatusChanged, key []string) string {
	parts := make([]byte, 0, 512) // most fit, and need no memory of their own then
	parts = appendPart(parts, label)
	parts = appendPart(parts, e.GetProvider())
	parts = appendPart(parts, e.GetMerchant())
	parts = appendPart(parts, e.GetMode().String())
	for _, k := range key {
		parts = appendPart(parts, k)
	}
	return sum(parts)
}

// appendPart appends s with its length before it, so that ("ab", "c") and ("a", "bc") differ.
func appendPart(to []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(s))), s...)
}

// sum returns the first 160 bits of the hash of parts.
func sum(parts []byte) string {
	h := sha256.Sum256(parts)
	return lower.EncodeToString(h[:20])
}
