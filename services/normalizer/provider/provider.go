// Package provider is the contract between paynorm and the adapters of payment
// providers. An adapter is a pure value: no clock, no network, no files, no
// randomness, no state. Everything it needs comes in as arguments.
package provider

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

var (
	// ErrNotAuthentic says that a delivery does not prove where it comes from:
	// no credential, a wrong one, or one that has run out. Answered with 401.
	ErrNotAuthentic = errors.New("not authentic")
	// ErrUndecodable says that a delivery cannot be brought into the form that
	// authentication needs, for example because it is not hex. Answered with 400.
	ErrUndecodable = errors.New("cannot be decoded")
)

// Adapter knows one provider's webhooks.
type Adapter interface {
	// Describe says what the provider is and what the adapter knows of it.
	Describe() Descriptor
	// Verify proves that d is authentic and returns what its body says in clear.
	// With no keys nothing is authentic. Errors wrap ErrNotAuthentic or ErrUndecodable.
	Verify(d Delivery, keys Keys) (Verified, error)
	// Normalize turns an authentic delivery into items. It never fails: what it
	// cannot read becomes a quarantined item. Every item of the body is in the
	// result, as a fact, a skip or a quarantine. plaintext is what Verify
	// returned; it must not be changed. The result holds no reference to it.
	Normalize(d Delivery, plaintext []byte) Result
}

// Delivery is one webhook request.
type Delivery struct {
	Provider   string // as configured, from the path
	Merchant   string // as configured, from the path
	Mode       eventv1.Mode
	Method     string
	Path       string   // as requested, without the query
	RawQuery   string   // as requested, undecoded
	Headers    []Header // names in lower case, the values of one name in their order
	Body       []byte   // as received, byte for byte
	RemoteAddr netip.Addr
	// Certificates, DER, are what the sender has shown in the TLS handshake, its own
	// first. It holds that one's key; who signed them is not checked yet.
	Certificates [][]byte
	ReceivedAt   time.Time
}

// Header is one header line. Value need not be UTF-8.
type Header struct {
	Name  string
	Value string
}

// Headers returns the lines of a message. The values share one string, because each
// webhook needs them twice.
func Headers[L interface {
	GetName() string
	GetValue() []byte
}](lines []L) []Header {
	size := 0
	for _, l := range lines {
		size += len(l.GetValue())
	}
	var values strings.Builder
	values.Grow(size)
	for _, l := range lines {
		values.Write(l.GetValue())
	}
	out, rest := make([]Header, len(lines)), values.String()
	for i, l := range lines {
		n := len(l.GetValue())
		out[i], rest = Header{Name: l.GetName(), Value: rest[:n]}, rest[n:]
	}
	return out
}

// Header returns the only value of the header name, which is given in lower
// case. ok is false when there is none or more than one: two values of a
// credential mean that sender and receiver could read different ones.
func (d Delivery) Header(name string) (value string, ok bool) {
	n := 0
	for _, h := range d.Headers {
		if h.Name == name {
			value = h.Value
			n++
		}
	}
	if n != 1 {
		return "", false
	}
	return value, true
}

// Verified is the outcome of a successful authentication.
type Verified struct {
	Plaintext []byte // what the body says in clear; the body itself where nothing is encrypted
	Scheme    string // the schemes that held, joined by "+"
	KeyID     string // the configured ID of the key that matched
	Coverage  eventv1.Coverage
}

// Result is what a delivery says, item by item, in the order of the body.
type Result struct {
	Items []Item
	// Drift lists what the provider's documentation does not know: names of
	// unknown members and of members whose type changed. Never values.
	Drift []string
}

// Item is one notification inside a delivery. Exactly one of Fact, Skip and
// Quarantine is set.
type Item struct {
	Fact       *Fact
	Skip       *Skip
	Quarantine *Quarantine
	// Row is the row of Descriptor.Mappings that decided. Each fact and each skip
	// has one. Nil: no row covers the item, or it could not be read. It is the
	// adapter's own and must not be changed.
	Row *Mapping
}

// Fact is an item that becomes an event.
type Fact struct {
	// Event holds what the provider says: kind, direction, the provider's IDs,
	// status, action_by, final (only for FAILED), provider_status, provider_type,
	// reason, operation, operation_outcome, amounts, currency_source, method and
	// occur_time with source and member (left out when the payload has none).
	// mode is set only where the payload itself says test. The rest is filled in later.
	//
	// amount_paid and amount_refunded are set only where the provider reports
	// totals. Where it reports each operation, they stay unset, and the amounts
	// of succeeded SALE, CAPTURE and RECEIPT (REFUND) operations with a
	// provider_operation_id are summed by the projector.
	Event *eventv1.PaymentStatusChanged
	// Key is the idempotency key within provider, merchant and mode: equal keys
	// are the same fact. Absent members are "", amounts in minor units.
	Key []string
	// Payment identifies the provider's payment within provider, merchant and mode.
	Payment []string
	// IfPaid replaces the event's payment_status when the payment was PAID or
	// SETTLED before. Unspecified: no such rule.
	IfPaid eventv1.PaymentStatus
	// IfPaidRow is the row that decides when IfPaid does. Nil when IfPaid is unspecified.
	IfPaidRow *Mapping
}

// Skip is an authentic item that is no payment fact, by the provider's documentation.
type Skip struct {
	Reason string // lower case with underscores, for example "not_a_payment"
}

// Quarantine is an authentic item that is kept and not published, because no
// rule covers it.
type Quarantine struct {
	Reason eventv1.QuarantineReason
	Detail string // for people; names members and limits, never values
	// Payment identifies the payment that the item is about, with the parts of
	// Fact.Payment. Nil when its ID could not be read.
	Payment []string
	// Mode is set only where the payload itself says test: such a payment is
	// another one than that of the same ID in the endpoint's mode.
	Mode eventv1.Mode
}

// Descriptor says what a provider is and what its adapter knows of it. Texts
// are for people, in Markdown; a fact about the provider names its source.
type Descriptor struct {
	ID            string // in paths, subjects and configuration
	Title         string
	Summary       string // what its webhooks tell, and what they do not
	Documentation string // URL

	Setup    []string     // the steps from nothing to the first webhook, in the provider's own terms
	Endpoint string       // an entry of endpoints in the configuration, in YAML
	Rotation string       // how a key is replaced without losing a webhook
	Schemes  []SchemeKind // the kinds of auth entries that endpoints of the provider may have

	Acknowledgement Acknowledgement
	Timeout         string // how long the provider waits for the acknowledgement
	RetryPolicy     string // what it does without one

	TimeMember     string   // the member that occur_time comes from, or the members by status; empty: the payload has none
	IdempotencyKey []string // what the parts of Fact.Key are, in their order
	Mappings       []Mapping
	MappingVersion int32 // raised with each change of Mappings
	Gaps           []Gap
}

// Gap is something that the provider leaves open, and what follows from it.
type Gap struct {
	Text   string
	Source string // the page on which one would look for it, or "synthetic"
}

// Acknowledgement is the answer that tells the provider to stop sending.
type Acknowledgement struct {
	Status      int
	ContentType string
	Body        string
}

// Mapping is one row of an adapter's mapping table.
type Mapping struct {
	ProviderStatus string // the provider's word or words
	Outcome        string // "PAYMENT_STATUS_PAID" and the like, "skipped" or "quarantined"
	Reason         string // the reason code of event, skip or quarantine; may be empty
	Source         string // where the provider documents the word, or "synthetic"
}

// Quarantined is a shorthand for an item that is kept and not published. payment
// is what identifies its payment; with no parts, or an empty one, it has none.
func Quarantined(reason eventv1.QuarantineReason, detail string, payment ...string) Item {
	q := &Quarantine{Reason: reason, Detail: detail}
	if !slices.Contains(payment, "") {
		q.Payment = slices.Clone(payment)
	}
	return Item{Quarantine: q}
}
