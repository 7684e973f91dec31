package qitech

import (
	"fmt"
	"strings"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxText is how many bytes a key or a word may have.
const maxText = 256

// currency of all amounts: the payload names none, QI Tech operates in Brazil only.
const currency = "BRL"

// members is what is read from an invoice payment.
type members struct {
	id, status, method, wallet string
	at                         *timestamppb.Timestamp
	total, paid                *eventv1.Money
}

type presence bool

const (
	optional presence = false
	required presence = true
)

// reader reads members and keeps the first problem, so that the caller asks
// once, after the last member.
type reader struct {
	problem *provider.Quarantine
}

func (r *reader) fail(reason eventv1.QuarantineReason, format string, args ...any) {
	if r.problem == nil {
		r.problem = &provider.Quarantine{Reason: reason, Detail: fmt.Sprintf(format, args...)}
	}
}

// text reads a short text of v. A missing member, null and "" are the same: "".
func (r *reader) text(v payload.Value, name string, p presence) string {
	const invalid = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD
	member := v.Get(name)
	text, ok := member.Text()
	switch {
	case member.Present() && !ok:
		r.fail(invalid, "%s is not a text", name)
	case text == "" && p == required:
		r.fail(invalid, "%s is missing", name)
	case len(text) > maxText:
		r.fail(invalid, "%s is longer than %d bytes", name, maxText)
	case strings.ContainsFunc(text, func(c rune) bool { return c < 0x20 || c == 0x7f }):
		r.fail(invalid, "%s has control characters", name)
	default:
		return text
	}
	return ""
}

// instant reads a time by RFC 3339; nil when the member is missing.
func (r *reader) instant(v payload.Value, name string) *timestamppb.Timestamp {
	text := r.text(v, name, optional)
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	at := timestamppb.New(t)
	if err != nil || at.CheckValid() != nil {
		r.fail(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "%s is not an instant by RFC 3339", name)
		return nil
	}
	return at
}

// money reads an amount in reais, a number by the documentation; nil when the
// member is missing.
func (r *reader) money(v payload.Value, name string) *eventv1.Money {
	const invalid = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT
	member := v.Get(name)
	text, ok := member.Scalar()
	if member.Present() && !ok {
		r.fail(invalid, "%s is not a number", name)
		return nil
	}
	if text == "" {
		return nil
	}
	m, err := money.Parse(text, currency)
	if err != nil {
		r.fail(invalid, "%s: %v", name, err)
		return nil
	}
	return m
}
