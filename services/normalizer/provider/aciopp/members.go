package aciopp

import (
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// code reads the result code. Whatever is there that is no code is in no group,
// and so it is unmapped; only one that is not there at all is a problem.
func code(r *member.Reader, result payload.Value) string {
	v := result.Get("code")
	text, _ := v.Scalar()
	if !v.Present() {
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "result.code is missing")
	}
	return text
}

// amount reads an amount and the currency beside it; nil when there is no
// amount. Reversals may carry none, which is not zero.
func amount(r *member.Reader, v payload.Value, name, currency string) *eventv1.Money {
	code, _ := v.Get(currency).Text()
	return r.Amount(v, name, code)
}

// fixedText keeps the platform's description of a result code. It is dropped
// when it does not look like one of the fixed texts: too long, or with a run of
// digits or an @ that could be personal data.
func fixedText(v payload.Value) string {
	const maxLength, maxDigits = 256, 5
	text, _ := v.Text()
	if len(text) > maxLength || strings.ContainsRune(text, '@') || !member.Printable(text) {
		return ""
	}
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
			continue
		}
		if run++; run > maxDigits {
			return ""
		}
	}
	return text
}
