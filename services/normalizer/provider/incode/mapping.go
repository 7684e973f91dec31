package incode

import (
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"golang.org/x/text/unicode/norm"
)

// Where the words are documented. Incode passes on those of the tax authority
// (SAT), of which its own page shows only one.
const (
	webhooks = "https://developer.incode.com/docs/webhooks"
	satWords = "https://github.com/phpcfdi/sat-estado-cfdi"
)

// found is the only documented value of status: the document was looked up and found.
const found = "OK"

// row is one line of the mapping table, all of it for status "OK".
type row struct {
	cancellation string // as folded; "" is an empty, null or missing cancellationStatus
	prefix       bool   // whether the word may go on
	status       eventv1.ProofStatus
	reason       string
	source       string
}

// table is the mapping table. It is not changed once it is made.
type table []row

func newTable() table {
	const (
		verified = eventv1.ProofStatus_PROOF_STATUS_VERIFIED
		canceled = eventv1.ProofStatus_PROOF_STATUS_CANCELED
	)
	return table{
		// Whether the document can be canceled: it has not been.
		{cancellation: "Cancelable sin aceptación", status: verified, source: webhooks},
		{cancellation: "Cancelable con aceptación", status: verified, source: satWords},
		{cancellation: "No cancelable", status: verified, source: satWords},
		{cancellation: "", status: verified, source: satWords},
		// How far a cancellation has come. The receiver has 72 hours to object.
		{cancellation: "En proceso", status: verified, reason: "cancellation_pending", source: satWords},
		{cancellation: "Solicitud rechazada", status: verified, source: satWords},
		{cancellation: "Plazo vencido", status: canceled, source: satWords},
		{cancellation: "Cancelado", prefix: true, status: canceled, source: satWords},
	}
}

// find returns the row of two words as they were sent.
func (t table) find(status, cancellation string) (row, bool) {
	if fold(status) != found {
		return row{}, false
	}
	word := fold(cancellation)
	for _, r := range t {
		if word == r.cancellation || r.prefix && strings.HasPrefix(word, r.cancellation) {
			return r, true
		}
	}
	return row{}, false
}

// fold brings a word into the form that words are compared in: accents composed
// (NFC), no-break blanks as blanks, none at the ends. Letter case stays.
func fold(word string) string {
	word = strings.Map(func(r rune) rune {
		switch r {
		case '\u00a0', '\u2007', '\u202f':
			return ' '
		}
		return r
	}, norm.NFC.String(word))
	return strings.TrimSpace(word)
}

// mappings shows the table to people.
func (t table) mappings() []provider.Mapping {
	var all []provider.Mapping
	for _, r := range t {
		words := found
		if r.cancellation != "" {
			words += "/" + r.cancellation
		}
		if r.prefix {
			words += " …"
		}
		all = append(all, provider.Mapping{ProviderStatus: words, Outcome: r.status.String(), Reason: r.reason, Source: r.source})
	}
	return all
}
