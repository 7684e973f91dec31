package incode

import (
	"fmt"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/payload"
)

// maxText is how many bytes a text that is copied may have.
const maxText = 256

// word reads a status word; "" when it is missing or null. ok is false for what
// can be no word.
func word(v payload.Value) (text string, ok bool) {
	if !v.Present() {
		return "", true
	}
	text, ok = v.Text()
	return text, ok && len(text) <= maxText && !strings.ContainsFunc(text, control)
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

// effect returns what the document does (Ingreso, Egreso, Traslado, Nómina or
// Pago, or their codes I, E, T, N, P), verbatim, and "" for anything else.
func effect(v payload.Value) string {
	text, ok := v.Text()
	if !ok {
		return ""
	}
	switch fold(text) {
	case "Ingreso", "Egreso", "Traslado", "Nómina", "Pago", "I", "E", "T", "N", "P":
		return text
	}
	return ""
}

// drift lists the members that are not documented, and the documented ones that
// are not texts, as all of them are documented to be.
func drift(body payload.Value) []string {
	documented := []string{
		"requestId", "rfcIssuer", "issuerName", "rfcReceiver", "receiverName", "fiscalInvoice", "issueDate",
		"certificationDate", "rfcPac", "totalCfdi", "voucherEffect", "cancellationStatus", "validationCode", "status",
	}
	names := body.Unknown("", documented...)
	for _, name := range documented {
		if v := body.Get(name); v.Present() && v.Kind() != payload.String && len(names) < payload.MaxDrift {
			names = append(names, name)
		}
	}
	return names
}
