package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// writer gathers a page in Markdown.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) {
	w.WriteString(fmt.Sprintf(format, args...) + "\n")
}

func (w *writer) section(title string) { w.line("\n## %s\n", title) }

// page is the whole page about a provider.
func page(d provider.Descriptor) string {
	var w writer
	w.line("<!-- Written by tools/providerdocs from the adapter. Change the adapter, then run: go run ./tools/providerdocs -o docs/providers -->")
	w.line("\n# %s\n", d.Title)
	w.line("%s\n", d.Summary)
	w.line("Provider ID: `%s`. Documentation: <%s>", d.ID, d.Documentation)
	w.setup(d)
	w.delivery(d)
	w.facts(d)
	w.mapping(d)
	w.gaps(d)
	return w.String()
}

func (w *writer) setup(d provider.Descriptor) {
	w.section("Set up")
	w.line("`HOST` is the name under which paynorm's HTTP edge is reached from outside, and `acme` the merchant's ID of your choice.\n")
	for i, step := range d.Setup {
		w.line("%d. %s", i+1, step)
	}
	w.line("\n```yaml\nendpoints:\n%s```\n", indent(d.Endpoint))
	w.line("Try it before the provider does: `paynorm send --config FILE --provider %s` sends a sample webhook in the provider's form.%s\n", d.ID, signing(d.Schemes))
	w.line("| `auth` entry | what it checks |\n| --- | --- |")
	for _, s := range d.Schemes {
		w.line("| `%s` | %s |", s, scheme(s))
	}
	w.line("\nEntries of one kind are alternatives. All kinds must hold, except that `oauth2` and `header` are alternatives of each other.")
	w.section("Replace a key")
	w.line("%s\n", d.Rotation)
	w.line("The configuration and the files of secrets are read again when they change; no request is dropped.\n")
	w.line("Give both entries an `id` first. `paynorm_key_last_used_timestamp_seconds` says for each when it was last used, and so when the old one can go. " +
		"Without an `id` a key is called by its place in the list, and the new one would take over the name of the old one, counters included.")
}

// signing says what a sample needs that is signed with a private key.
func signing(schemes []provider.SchemeKind) string {
	if !slices.Contains(schemes, provider.SchemeJWT) {
		return ""
	}
	return " Only the provider can sign with its key: give the endpoint a public key of your own beside it for the time, and the private one with `--signing-key`."
}

func scheme(kind provider.SchemeKind) string {
	switch kind {
	case provider.SchemeURLToken:
		return "a secret in the URL, `?token=…`"
	case provider.SchemeAESGCM:
		return "the encryption of the body (AES-256-GCM), which covers all of it"
	case provider.SchemeJWT:
		return "a signed token that covers body, method, path and time"
	case provider.SchemeOAuth2:
		return "a bearer token that paynorm's own token endpoint handed out"
	case provider.SchemeHeader:
		return "a fixed secret in a header"
	case provider.SchemeSourceIP:
		return "the sender's address"
	case provider.SchemeClientCertificate:
		return "the certificate that the sender shows in the TLS handshake"
	default:
		return "nothing: everybody can forge webhooks"
	}
}

func (w *writer) delivery(d provider.Descriptor) {
	ack := d.Acknowledgement
	body := "no body"
	if ack.Body != "" {
		body = fmt.Sprintf("`%s` as `%s`", ack.Body, ack.ContentType)
	}
	w.section("Acknowledgement, time-out and retries")
	w.line("| | |\n| --- | --- |")
	w.line("| Acknowledgement | %d %s, %s, once the delivery is durable: also for repeats, for what is not published and for what is quarantined |",
		ack.Status, http.StatusText(ack.Status), body)
	w.line("| Time-out | %s |", d.Timeout)
	w.line("| Retries | %s |", d.RetryPolicy)
}

func (w *writer) facts(d provider.Descriptor) {
	w.section("Time and identity")
	member := "The payload has no instant: `occur_time` is the time of receipt."
	if d.TimeMember != "" {
		member = "`occur_time` comes from " + code(d.TimeMember) + ". Without it, it is the time of receipt; `occur_time_source` tells."
	}
	w.line("%s\n", member)
	w.line("Deliveries that agree in all of the following are one fact and give one event, however long they lie apart:\n")
	for _, part := range d.IdempotencyKey {
		w.line("- %s", code(part))
	}
}

func (w *writer) mapping(d provider.Descriptor) {
	w.section("Mapping, version " + strconv.Itoa(int(d.MappingVersion)))
	w.line("The first row that fits decides. What no row covers is quarantined, never guessed.\n")
	w.line("| provider's words | becomes | reason | source |\n| --- | --- | --- | --- |")
	for _, m := range d.Mappings {
		w.line("| %s | %s | %s | %s |", cell(m.ProviderStatus), code(m.Outcome), code(m.Reason), source(m.Source))
	}
	if slices.ContainsFunc(d.Mappings, func(m provider.Mapping) bool { return m.Source == synthetic }) {
		w.line("\nSynthetic: the provider does not document it; the rule is paynorm's own.")
	}
}

func (w *writer) gaps(d provider.Descriptor) {
	w.section("Known gaps")
	w.line("What the documentation leaves open, contradicts or does not offer, with the page where it would stand.\n")
	for _, g := range d.Gaps {
		w.line("- %s Source: %s", g.Text, source(g.Source))
	}
}

// synthetic is the source of what no page of the provider says.
const synthetic = "synthetic"

func source(s string) string {
	if s == synthetic {
		return s
	}
	return "<" + s + ">"
}

// code shows a name as code; text that holds some already, and nothing, stay as they are.
func code(s string) string {
	if s == "" || strings.ContainsAny(s, "` ,") {
		return s
	}
	return "`" + s + "`"
}

// cell shows words or a pattern as code in a table, where a bar would end the cell.
func cell(s string) string {
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

// indent moves the lines of a YAML list below its key.
func indent(yaml string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(yaml, "\n"), "\n", "\n  ") + "\n"
}
