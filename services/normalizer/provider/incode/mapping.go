package incode

import (
	"strings"
	"unicode/utf8"

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
	match        match
	status       eventv1.ProofStatus
	reason       string
	source       string
	shown        *provider.Mapping // the row as people see it
}

// match is how a word and a row are compared.
type match uint8

const (
	whole     match = iota
	beginning       // the word may go on
	anyWord         // the row is for every word that has none of its own
)

// table is the mapping table; the first row that fits decides. It is not changed once it is made.
type table []row

func newTable() table {
	const (
		verified = eventv1.ProofStatus_PROOF_STATUS_VERIFIED
		canceled = eventv1.ProofStatus_PROOF_STATUS_CANCELED
	)
	t := table{
		// Whether the document can be canceled: it has not been.
		{cancellation: "Cancelable sin aceptación", status: verified, source: webhooks},
		{cancellation: "Cancelable con aceptación", status: verified, source: satWords},
		{cancellation: "No cancelable", status: verified, source: satWords},
		{cancellation: "", status: verified, source: satWords},
		// How far a cancellation has come. The receiver has 72 hours to object.
		{cancellation: "En proceso", status: verified, reason: "cancellation_pending", source: satWords},
		{cancellation: "Solicitud rechazada", status: verified, source: satWords},
		{cancellation: "Plazo vencido", status: canceled, source: satWords},
		{cancellation: "Cancelado", match: beginning, status: canceled, source: satWords},
		// Incode found the document, and nothing says that it was canceled. The
		// word is new to us, so it is schema drift as well.
		{match: anyWord, status: verified, source: "synthetic"},
	}
	for i := range t {
		t[i].shown = t[i].mapping()
	}
	return t
}

// find returns the row of two folded words.
func (t table) find(status, cancellation string) (row, bool) {
	if status != found {
		return row{}, false
	}
	for _, r := range t {
		if r.fits(cancellation) {
			return r, true
		}
	}
	return row{}, false
}

// fits compares without regard to letter case: a canceled document must not
// pass as any other because its word is written in capitals.
func (r row) fits(cancellation string) bool {
	switch r.match {
	case anyWord:
		return true
	case beginning:
		n := len(r.cancellation)
		return len(cancellation) >= n && strings.EqualFold(cancellation[:n], r.cancellation)
	default:
		return strings.EqualFold(cancellation, r.cancellation)
	}
}

// fold brings a word into the form that words are compared in: accents composed
// (NFC), no-break blanks as blanks, none at the ends. Letter case stays.
func fold(word string) string {
	if plain(word) {
		return strings.TrimSpace(word)
	}
	word = strings.Map(func(r rune) rune {
		switch r {
		case '\u00a0', '\u2007', '\u202f':
			return ' '
		}
		return r
	}, norm.NFC.String(word))
	return strings.TrimSpace(word)
}

// plain reports whether a word is ASCII, which is composed already.
func plain(word string) bool {
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mapping shows the row to people.
func (r row) mapping() *provider.Mapping {
	words := found
	if r.cancellation != "" {
		words += "/" + r.cancellation
	}
	switch r.match {
	case beginning:
		words += " …"
	case anyWord:
		words += "/any other word"
	}
	return &provider.Mapping{ProviderStatus: words, Outcome: r.status.String(), Reason: r.reason, Source: r.source}
}

// mappings is the table for people.
func (t table) mappings() []provider.Mapping {
	var all []provider.Mapping
	for _, r := range t {
		all = append(all, *r.shown)
	}
	return all
}
