package story

import (
	"cmp"
	"fmt"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// SetEffects sets the effect of each step: what it changed, or why it changed
// nothing. steps are in the order in which paynorm learnt them.
func SetEffects(steps []*normalizerv1.ExplanationStep) {
	h := history{told: map[string]*eventv1.PaymentStatusChanged{}, applied: map[string]*eventv1.PaymentStatusChanged{}}
	for _, s := range steps {
		s.Effect = h.effect(s)
		h.add(s.GetEvent())
	}
}

// history is what the steps so far have told.
type history struct {
	told    map[string]*eventv1.PaymentStatusChanged // by name
	applied map[string]*eventv1.PaymentStatusChanged // the last one by what it is about
}

func (h history) add(e *eventv1.PaymentStatusChanged) {
	if e == nil {
		return
	}
	h.told[e.GetName()] = e
	switch e.GetDisposition() {
	case eventv1.Disposition_DISPOSITION_APPLIED, eventv1.Disposition_DISPOSITION_CORRECTION:
		h.applied[subject(e)] = e
	}
}

func (h history) effect(s *normalizerv1.ExplanationStep) string {
	if n := s.GetQuarantined(); n != nil {
		return fmt.Sprintf("No event: it is quarantined as %s: %s.", strings.ToLower(word(n.GetReason())), strings.TrimSuffix(n.GetDetail(), "."))
	}
	if name := s.GetRepeatOf(); name != "" {
		if first := h.told[name]; first != nil {
			return fmt.Sprintf("Nothing new: %s of %s told the same fact.", name, instant(first.GetReceiveTime()))
		}
		return fmt.Sprintf("Nothing new: %s told the same fact before.", name)
	}
	e := s.GetEvent()
	last := h.applied[subject(e)]
	switch e.GetDisposition() {
	case eventv1.Disposition_DISPOSITION_STALE:
		return stale(last, e)
	case eventv1.Disposition_DISPOSITION_NO_CHANGE:
		return unchanged(e)
	case eventv1.Disposition_DISPOSITION_ANOMALY:
		return fmt.Sprintf("Nothing changed: %s is %s, and to become %s now would lead backwards, which should not happen.", subject(e), previous(e), status(e))
	case eventv1.Disposition_DISPOSITION_CORRECTION:
		return h.correction(e)
	}
	return applied(e)
}

// applied says what became of it.
func applied(e *eventv1.PaymentStatusChanged) string {
	what, before, after := subject(e), previous(e), status(e)
	var text string
	switch before {
	case "":
		text = fmt.Sprintf("%s became known as %s.", capital(what), after)
	case after:
		text = fmt.Sprintf("%s stays %s, with other amounts.", capital(what), after)
	default:
		text = fmt.Sprintf("%s went from %s to %s.", capital(what), before, after)
	}
	if e.GetUnexpectedTransition() {
		text += " That move is not expected; it counts because it leads forward."
	}
	return text + amounts(e) + acts(e.GetActionBy()) + fmt.Sprintf(" Version %d.", e.GetPaymentVersion())
}

// stale says why e is older than last, which may be out of sight.
func stale(last, e *eventv1.PaymentStatusChanged) string {
	what, known := subject(e), cmp.Or(previous(e), "known")
	if last == nil {
		return fmt.Sprintf("Nothing changed: it is older than what was known; %s was %s already.", what, known)
	}
	if stated(last) && stated(e) && last.GetOccurTime().AsTime().After(e.GetOccurTime().AsTime()) {
		return fmt.Sprintf("Nothing changed: it is older than what was known, because it happened at %s, and %s was %s as of %s.",
			instant(e.GetOccurTime()), what, known, instant(last.GetOccurTime()))
	}
	return fmt.Sprintf("Nothing changed: it is older than what was known, because %s comes before %s and the provider's times do not say otherwise.",
		status(e), known)
}

func stated(e *eventv1.PaymentStatusChanged) bool {
	return e.GetOccurTimeSource() == eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
}

func unchanged(e *eventv1.PaymentStatusChanged) string {
	followUp := e.GetOperation() == eventv1.Operation_OPERATION_CAPTURE || e.GetOperation() == eventv1.Operation_OPERATION_VOID
	op := strings.ToLower(word(e.GetOperation()))
	reason := ""
	if code := e.GetReason().GetCode(); code != "" {
		reason = " (" + code + ")"
	}
	switch {
	case followUp && e.GetOperationOutcome() == eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED:
		return fmt.Sprintf("Nothing changed: the %s failed%s, and %s stays %s.", op, reason, subject(e), status(e))
	case followUp && e.GetOperationOutcome() == eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING:
		return fmt.Sprintf("Nothing changed: the %s is not decided yet%s, and %s stays %s.", op, reason, subject(e), status(e))
	}
	return fmt.Sprintf("Nothing changed: %s was %s already, with the same amounts.", subject(e), status(e))
}

func (h history) correction(e *eventv1.PaymentStatusChanged) string {
	text := fmt.Sprintf("It corrects %s", e.GetSupersedes())
	if wrong := h.told[e.GetSupersedes()]; wrong != nil && status(wrong) != status(e) {
		text += ", which said " + status(wrong)
	}
	return fmt.Sprintf("%s: %s is %s.%s%s Version %d.", text, subject(e), status(e), amounts(e), acts(e.GetActionBy()), e.GetPaymentVersion())
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
