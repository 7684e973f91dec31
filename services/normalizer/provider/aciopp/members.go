package aciopp

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

// maxText is how many bytes an ID, a reference or a brand may have.
const maxText = 256

// timestampLayout is "2020-09-08 17:51:59+0000": a blank, and a zone without
// colon. A fraction of a second is read as well.
const timestampLayout = "2006-01-02 15:04:05-0700"

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

// text reads a short text of v, or a number's digits. A missing member, null
// and "" are the same: "".
func (r *reader) text(v payload.Value, name string, p presence) string {
	const invalid = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD
	member := v.Get(name)
	text, ok := member.Scalar()
	switch {
	case member.Present() && !ok:
		r.fail(invalid, "%s is not a text", name)
	case text == "" && p == required:
		r.fail(invalid, "%s is missing", name)
	case len(text) > maxText:
		r.fail(invalid, "%s is longer than %d bytes", name, maxText)
	case strings.ContainsFunc(text, control):
		r.fail(invalid, "%s has control characters", name)
	default:
		return text
	}
	return ""
}

func control(c rune) bool { return c < 0x20 || c == 0x7f }

// instant is a point in time, and how it is written in the idempotency key. The
// zero value is no instant.
type instant struct {
	time *timestamppb.Timestamp
	text string // RFC 3339 in UTC
}

func (r *reader) instant(v payload.Value, name string) instant {
	text := r.text(v, name, optional)
	if text == "" {
		return instant{}
	}
	t, err := time.Parse(timestampLayout, text)
	at := timestamppb.New(t)
	if err != nil || at.CheckValid() != nil {
		r.fail(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "%s is not like %s", name, timestampLayout)
		return instant{}
	}
	return instant{time: at, text: t.UTC().Format(time.RFC3339Nano)}
}

// money reads an amount and the currency beside it; nil when there is no amount.
// Reversals may carry none, which is not zero.
func (r *reader) money(v payload.Value, amount, currency string) *eventv1.Money {
	const invalid = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT
	member := v.Get(amount)
	text, ok := member.Scalar()
	if member.Present() && !ok {
		r.fail(invalid, "%s is not a number", amount)
		return nil
	}
	if text == "" {
		return nil
	}
	code, _ := v.Get(currency).Text()
	m, err := money.Parse(text, code)
	if err != nil {
		r.fail(invalid, "%s with %s: %v", amount, currency, err)
		return nil
	}
	return m
}

// fixedText keeps the platform's description of a result code. It is dropped
// when it does not look like one of the fixed texts: too long, or with a run of
// digits or an @ that could be personal data.
func fixedText(v payload.Value) string {
	const maxDigits = 5
	text, _ := v.Text()
	if len(text) > maxText || strings.ContainsRune(text, '@') || strings.ContainsFunc(text, control) {
		return ""
	}
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
			continue
		}
		if run++; run > maxDigits {
			return ""
		}
	}
	return text
}
