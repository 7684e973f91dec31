package aciopp

import (
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

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
	const maxDigits = 5
	text, _ := v.Text()
	if len(text) > member.MaxText || strings.ContainsRune(text, '@') || !member.Printable(text) {
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
