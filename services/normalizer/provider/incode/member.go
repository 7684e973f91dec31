package incode

import (
	"fmt"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// maxText is how many bytes a text that is copied may have.
const maxText = 256

// word reads a status word, as sent and folded; "" when it is missing or null.
// ok is false for what can be no word.
func word(v payload.Value) (text, folded string, ok bool) {
	if !v.Present() {
		return "", "", true
	}
	text, ok = v.Text()
	if !ok || len(text) > maxText || strings.ContainsFunc(text, control) {
		return "", "", false
	}
	return text, fold(text), true
}

// identifier reads an ID, which may come as a number; "" when it is missing or null.
func identifier(body payload.Value, name string) (string, error) {
	v := body.Get(name)
	if !v.Present() {
		return "", nil
	}
	text, ok := v.Scalar()
	if !ok {
		return "", fmt.Errorf("%s is neither a text nor a number", name)
	}
	if len(text) > maxText {
		return "", fmt.Errorf("%s is longer than %d bytes", name, maxText)
	}
	if strings.ContainsFunc(text, control) {
		return "", fmt.Errorf("%s has control characters", name)
	}
	return text, nil
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }

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

// documented is what Incode documents: all members are texts.
func documented(t table) schema.Schema {
	words := map[string]func(string) bool{
		"status":        func(word string) bool { return fold(word) == found },
		"voucherEffect": isEffect,
		"cancellationStatus": func(word string) bool {
			r, ok := t.find(found, fold(word))
			return ok && r.match != anyWord
		},
	}
	var members []schema.Member
	for _, name := range []string{
		"requestId", "rfcIssuer", "issuerName", "rfcReceiver", "receiverName", "fiscalInvoice", "issueDate",
		"certificationDate", "rfcPac", "totalCfdi", "voucherEffect", "cancellationStatus", "validationCode", "status",
	} {
		members = append(members, schema.Member{Name: name, Kinds: schema.Text, Known: words[name]})
	}
	return schema.New(members...)
}
