package incode

import (
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// maxWord is how many bytes a word may have.
const maxWord = 256

// word reads a status word, as sent and folded; "" when it is missing or null.
// ok is false for what can be no word.
func word(v payload.Value) (text, folded string, ok bool) {
	if !v.Present() {
		return "", "", true
	}
	text, ok = v.Text()
	if !ok || len(text) > maxWord || !member.Printable(text) {
		return "", "", false
	}
	return text, fold(text), true
}

// document returns the tax document's identity (folio fiscal) when it is a
// UUID, as the tax authority assigns them, and "" for anything else: a UUID
// identifies no person, a free text might.
func document(v payload.Value) string {
	text, ok := v.Text()
	if !ok || len(text) != 36 {
		return ""
	}
	for i := range len(text) {
		switch c := text[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return ""
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return ""
			}
		}
	}
	return text
}

// effect returns what the document does, verbatim, and "" for a word that is not documented.
func effect(v payload.Value) string {
	text, ok := v.Text()
	if !ok || !isEffect(text) {
		return ""
	}
	return text
}

// isEffect knows the kinds of documents (income, credit note, transport,
// payroll, payment receipt) and their codes.
func isEffect(word string) bool {
	switch fold(word) {
	case "Ingreso", "Egreso", "Traslado", "Nómina", "Pago", "I", "E", "T", "N", "P":
		return true
	}
	return false
}
