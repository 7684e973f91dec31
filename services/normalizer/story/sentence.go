package story

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// arrival says when a delivery came, from where, and how it was authenticated.
func arrival(s *normalizerv1.ExplanationStep) string {
	d := s.GetDelivery()
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", instant(d.GetReceiveTime()), d.GetName())
	if s.GetItem() > 0 {
		fmt.Fprintf(&b, ", item %d", s.GetItem())
	}
	if s.GetRepeatOf() != "" {
		b.WriteString(" told it again")
	} else {
		b.WriteString(" arrived")
	}
	if from := d.GetRemoteAddress(); from != "" {
		b.WriteString(" from " + from)
	}
	b.WriteString(".")
	switch {
	case !d.GetKept():
		b.WriteString(" The ledger no longer keeps it.")
	case d.GetErased():
		b.WriteString(" Its content was erased since.")
	}
	if v := cmp.Or(d.GetVerification(), s.GetEvent().GetVerification()); v != nil {
		b.WriteString(" " + verified(v))
	}
	return b.String()
}

func verified(v *eventv1.Verification) string {
	if v.GetCoverage() == eventv1.Coverage_COVERAGE_NONE || v.GetScheme() == "" {
		return "It was not authenticated."
	}
	text := "Authenticated by " + v.GetScheme()
	if v.GetKeyId() != "" {
		text += " with key " + v.GetKeyId()
	}
	switch v.GetCoverage() {
	case eventv1.Coverage_COVERAGE_SENDER:
		text += ", which vouches for the sender only"
	case eventv1.Coverage_COVERAGE_BODY:
		text += ", which covers the body"
	case eventv1.Coverage_COVERAGE_REQUEST:
		text += ", which covers the body and the request"
	}
	return text + "."
}

// said is what the provider claims, in its own words.
func said(e *eventv1.PaymentStatusChanged) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s said %q", e.GetProvider(), e.GetProviderStatus())
	if t := e.GetProviderType(); t != "" {
		fmt.Fprintf(&b, " (%s)", shown(t))
	}
	if op := e.GetProviderOperationId(); op != "" && op != e.GetProviderPaymentId() {
		fmt.Fprintf(&b, " about its operation %s", shown(op))
	}
	if e.GetOccurTimeSource() == eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD {
		fmt.Fprintf(&b, ", at %s by its %s", instant(e.GetOccurTime()), e.GetOccurTimeMember())
	} else {
		b.WriteString(", and not when")
	}
	b.WriteString(".")
	if r := e.GetReason(); r.GetProviderCode() != "" || r.GetText() != "" {
		fmt.Fprintf(&b, " Its reason: %s.", shown(strings.TrimSuffix(strings.TrimSpace(r.GetProviderCode()+" "+r.GetText()), ".")))
	}
	return b.String()
}

// shown is a provider's text within a sentence: quoted and escaped where it would be
// taken for something else, such as a line end or a terminal's control sequence.
func shown(text string) string {
	if quoted := strconv.Quote(text); len(quoted) > len(text)+2 {
		return quoted
	}
	return text
}

func row(m *normalizerv1.Mapping) string {
	becomes := m.GetOutcome()
	if m.GetReason() != "" {
		becomes += " (" + m.GetReason() + ")"
	}
	return fmt.Sprintf("Mapping row: %q becomes %s. Source: %s.", m.GetProviderStatus(), becomes, m.GetSource())
}

func published(s *normalizerv1.ExplanationStep) string {
	name, cursor := s.GetEvent().GetName(), s.GetEvent().GetCursor()
	if n := s.GetQuarantined(); n != nil {
		name, cursor = n.GetName(), n.GetCursor()
	}
	return fmt.Sprintf("Published on %s with cursor %d: %s.", s.GetSubject(), cursor, name)
}

// remedy says what to do about a quarantined item.
func remedy(n *eventv1.QuarantineNotice) string {
	release := "reprocess " + n.GetDelivery() + "; nothing has to be sent again."
	switch n.GetReason() {
	case eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED:
		return "What to do: once the mapping covers it, " + release
	case eventv1.QuarantineReason_QUARANTINE_REASON_NEEDS_LOOKUP:
		return "What to do: ask the provider for the payment's status; the notification carries none."
	case eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION:
		return "What to do: ask the provider which of the two is true."
	case eventv1.QuarantineReason_QUARANTINE_REASON_ACCOUNT_MISMATCH:
		return "What to do: if the account is the merchant's, add it to the endpoint's expect_accounts; then " + release
	default:
		return "What to do: look at the body (GetDelivery with DELIVERY_VIEW_FULL). If the provider means it so, paynorm has to learn it; then " + release
	}
}

// acts says who has to act, or nothing.
func acts(by eventv1.ActionBy) string {
	if by == eventv1.ActionBy_ACTION_BY_UNSPECIFIED {
		return ""
	}
	return " The " + strings.ToLower(word(by)) + " has to act."
}

// subject names what an event is about, within its payment.
func subject(e *eventv1.PaymentStatusChanged) string {
	switch e.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		return strings.TrimSpace("the refund " + shown(cmp.Or(e.GetProviderOperationId(), e.GetProviderAttemptId())))
	case eventv1.Kind_KIND_DISPUTE:
		return "the dispute"
	case eventv1.Kind_KIND_PROOF:
		return "the proof"
	}
	if e.GetDirection() == eventv1.Direction_DIRECTION_OUTBOUND {
		return "the payout"
	}
	return "the payment"
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
