package normalize

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
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
	h := sha256.New()
	part(h, correctionLabel)
	part(h, superseded)
	part(h, strconv.FormatInt(sequence, 10))
	return "events/e" + lower.EncodeToString(h.Sum(nil)[:20])
}

func digest(label string, e *eventv1.PaymentStatusChanged, key []string) string {
	h := sha256.New()
	part(h, label)
	part(h, e.GetProvider())
	part(h, e.GetMerchant())
	part(h, e.GetMode().String())
	for _, k := range key {
		part(h, k)
	}
	return lower.EncodeToString(h.Sum(nil)[:20])
}

// part writes s with its length before it, so that ("ab", "c") and ("a", "bc") differ.
func part(h hash.Hash, s string) {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(s)))
	h.Write(length[:])
	h.Write([]byte(s))
}
