// Package member reads the members of a notification that adapters copy into
// events: short texts, IDs, instants and amounts.
package member

import (
	"fmt"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/instant"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// MaxText is how many bytes a text that is copied may have: those of the longest
// reference that a provider documents, 255 characters of any kind.
const MaxText = 1024

// Presence says whether a member has to be there.
type Presence bool

// A member that is missing, null or "" is not there.
const (
	Optional Presence = false
	Required Presence = true
)

// Reader reads members and keeps the first problem, so that an adapter asks
// once, after the last member. A member that is a problem reads as one that is
// not there. The zero value is ready for use.
type Reader struct {
	reason eventv1.QuarantineReason
	detail string
}

// Problem returns the item as it is kept because of the first problem. bad is
// false when all that was read is sound. payment is as in [provider.Quarantined].
func (r *Reader) Problem(payment ...string) (kept provider.Item, bad bool) {
	if r.detail == "" {
		return provider.Item{}, false
	}
	return provider.Quarantined(r.reason, r.detail, payment...), true
}

// Refuse adds a problem. The detail names members and limits, never values.
func (r *Reader) Refuse(reason eventv1.QuarantineReason, format string, args ...any) {
	if r.detail == "" {
		r.reason, r.detail = reason, fmt.Sprintf(format, args...)
	}
}

// Text reads a text of at most [MaxText] bytes, or a number's digits as they are
// written; "" when it is not there. Providers change between the two, and an ID is
// the same in either. A text of blanks only is not what is required.
//
// It is verbatim: references may hold line ends and other control characters. No
// subject and no header has it, and who shows it to people must escape it.
func (r *Reader) Text(v payload.Value, name string, p Presence) string {
	const invalid = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD
	m := v.Get(name)
	text, ok := m.Scalar()
	switch {
	case !ok && m.Present():
		r.Refuse(invalid, "%s is neither a text nor a number", name)
	case p == Required && strings.TrimSpace(text) == "":
		r.Refuse(invalid, "%s is missing", name)
	case len(text) > MaxText:
		r.Refuse(invalid, "%s is longer than %d bytes", name, MaxText)
	default:
		return text
	}
	return ""
}

// Instant reads a point in time; nil when it is not there.
func (r *Reader) Instant(v payload.Value, name string) *timestamppb.Timestamp {
	text := r.Text(v, name, Optional)
	if text == "" {
		return nil
	}
	at, err := instant.Parse(text)
	if err != nil {
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "%s: %v", name, err)
		return nil
	}
	return timestamppb.New(at)
}

// Amount reads an amount of a currency, a text or a number; nil when it is not
// there, which is not zero.
func (r *Reader) Amount(v payload.Value, name, currency string) *eventv1.Money {
	m := v.Get(name)
	text, ok := m.Scalar()
	if !ok && m.Present() {
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT, "%s is neither a text nor a number", name)
		return nil
	}
	if text == "" {
		return nil
	}
	amount, err := money.Parse(text, currency)
	if err != nil {
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT, "%s: %v", name, err)
		return nil
	}
	return amount
}

// Printable reports whether text has no control characters of ASCII.
func Printable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] == 0x7f {
			return false
		}
	}
	return true
}
