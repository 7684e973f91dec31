package ingest

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// redacted stands where a credential was. No secret is shorter.
const redacted = "REDACTED"

// redactor takes the credentials of one delivery out of what the ledger keeps:
// by the names of headers and parameters, and wherever else they occur, because
// proxies repeat URLs and headers in headers of their own.
type redactor struct {
	endpoint *endpoint.Endpoint
	sent     string // what the header Authorization carries
}

func newRedactor(d provider.Delivery, e *endpoint.Endpoint) redactor {
	sent, _ := d.Header("authorization")
	if _, token, ok := strings.Cut(sent, " "); ok {
		sent = token
	}
	if len(sent) < len(redacted) { // a word that other headers may have by chance
		sent = ""
	}
	return redactor{e, sent}
}

// header returns what is kept of a header line's value.
func (r redactor) header(h provider.Header) string {
	if slices.Contains(r.endpoint.Redact, h.Name) {
		return redacted
	}
	return r.text(h.Value)
}

// query returns what is kept of a query.
func (r redactor) query(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		if secret, ok := scheme.Token(p); ok && secret != "" {
			parts[i] = strings.TrimSuffix(p, secret) + redacted
		}
	}
	return r.text(strings.Join(parts, "&"))
}

// text strikes the credentials out of text.
func (r redactor) text(text string) string {
	for _, s := range r.endpoint.Secrets {
		text = strike(text, string(s))
	}
	if r.sent != "" {
		text = strike(text, r.sent)
	}
	return text
}

// strike replaces secret in text, as it is or percent-encoded.
func strike(text, secret string) string {
	start, end := find(text, secret)
	if start < 0 {
		return text
	}
	var out strings.Builder
	for ; start >= 0; start, end = find(text, secret) {
		out.WriteString(text[:start])
		out.WriteString(redacted)
		text = text[end:]
	}
	out.WriteString(text)
	return out.String()
}

// find returns where text first says secret; start is -1 when it does not.
func find(text, secret string) (start, end int) {
	if len(text) < len(secret) { // percent-encoding makes nothing shorter
		return -1, 0
	}
	if !escaped(text) {
		if start = strings.Index(text, secret); start >= 0 {
			end = start + len(secret)
		}
		return start, end
	}
	first, _ := plain(secret)
	for i := range len(text) {
		if c := text[i]; c != first && c != secret[0] && c != '%' && c != '+' {
			continue
		}
		if size := says(text[i:], secret); size > 0 {
			return i, i + size
		}
	}
	return -1, 0
}

// escaped says whether text may say something else than it shows.
func escaped(text string) bool {
	return strings.IndexByte(text, '%') >= 0 || strings.IndexByte(text, '+') >= 0 || strings.IndexByte(text, ' ') >= 0
}

// says returns how many bytes at the beginning of text say secret: 0 when they
// say something else.
func says(text, secret string) (size int) {
	if strings.HasPrefix(text, secret) {
		return len(secret)
	}
	for secret != "" {
		if size == len(text) {
			return 0
		}
		want, n := plain(secret)
		got, m := plain(text[size:])
		if got != want {
			return 0
		}
		secret, size = secret[n:], size+m
	}
	return size
}

// plain returns the byte that text begins with, however often it was
// percent-encoded, and how many bytes say it. "+" and a blank are the same.
func plain(text string) (c byte, size int) {
	c, size = text[0], 1
	var decoded [1]byte
	for c == '%' && len(text) >= size+2 {
		if _, err := hex.Decode(decoded[:], []byte(text[size:size+2])); err != nil {
			break
		}
		c, size = decoded[0], size+2
	}
	if c == '+' {
		c = ' '
	}
	return c, size
}
