package providertest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// verdict is what a row of the mapping table promises: outcome and reason.
type verdict struct{ outcome, reason string }

// checkMappings checks the mapping table against the cases: no row that no case
// shows, no case whose outcome is not in the table. Rows with one verdict need
// as many cases that differ.
func checkMappings(t *testing.T, s Suite, cases []testCase) {
	a := s.Adapter
	rows := map[verdict][]string{}
	words := map[provider.Mapping]bool{}
	for _, m := range a.Describe().Mappings {
		v := verdict{m.Outcome, m.Reason}
		rows[v] = append(rows[v], m.ProviderStatus)
		if m.ProviderStatus == "" || m.Source == "" || !knownOutcome(m.Outcome) {
			t.Errorf("mapping %+v: want words, a source, and a status of paynorm, %q or %q", m, skipped, quarantined)
		}
		if words[m] {
			t.Errorf("mapping %+v occurs twice", m)
		}
		words[m] = true
	}
	shown := map[verdict]map[string]bool{}
	for _, c := range cases {
		for i, it := range a.Normalize(c.unsigned(), bytes.Clone(c.body)).Items {
			for v, sign := range verdicts(it, fmt.Sprint(c.name, i)) {
				if shown[v] == nil {
					shown[v] = map[string]bool{}
				}
				shown[v][sign] = true
				if len(rows[v]) == 0 && needsRow(it, v) {
					t.Errorf("case %s, item %d: %v is in no row of the mapping table", c.name, i, v)
				}
			}
		}
	}
	for v, words := range rows {
		if len(shown[v]) < len(words) {
			t.Errorf("%v: %d rows (%s), but %d cases that differ", v, len(words), strings.Join(words, "; "), len(shown[v]))
		}
	}
}

const (
	skipped     = "skipped"
	quarantined = "quarantined"
)

// verdicts returns what the item shows, each with a sign by which items of one
// verdict are told apart.
func verdicts(it provider.Item, place string) map[verdict]string {
	if it.Skip != nil {
		return map[verdict]string{{skipped, it.Skip.Reason}: place}
	}
	if it.Quarantine != nil {
		return map[verdict]string{{quarantined, normalize.ReasonWord(it.Quarantine.Reason)}: place}
	}
	e := it.Fact.Event
	sign := strings.Join([]string{e.GetProviderType(), e.GetProviderStatus(), e.GetReason().GetProviderCode(),
		e.GetOperation().String(), e.GetMethod().GetType().String(), e.GetMethod().GetBrand(), e.GetFee().String()}, "|")
	reason := e.GetReason().GetCode()
	shown := map[verdict]string{{status(e), reason}: sign}
	if it.Fact.IfPaid != eventv1.PaymentStatus_PAYMENT_STATUS_UNSPECIFIED {
		shown[verdict{it.Fact.IfPaid.String(), reason}] = sign
	}
	return shown
}

func status(e *eventv1.PaymentStatusChanged) string {
	switch e.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		return e.GetRefundStatus().String()
	case eventv1.Kind_KIND_DISPUTE:
		return e.GetDisputeStatus().String()
	case eventv1.Kind_KIND_PROOF:
		return e.GetProofStatus().String()
	default:
		return e.GetPaymentStatus().String()
	}
}

// needsRow says whether the table must have a row for what the item shows. A
// word that the table lacks has none by its nature, and a body or member that
// cannot be read is not about words. What an event becomes when the payment was
// paid before may be told in the row of the event.
func needsRow(it provider.Item, v verdict) bool {
	if it.Fact != nil {
		return v.outcome == status(it.Fact.Event)
	}
	if it.Quarantine == nil {
		return true
	}
	switch it.Quarantine.Reason {
	case eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION, eventv1.QuarantineReason_QUARANTINE_REASON_NEEDS_LOOKUP:
		return true
	}
	return false
}

func knownOutcome(outcome string) bool {
	for _, values := range []map[string]int32{
		eventv1.PaymentStatus_value, eventv1.RefundStatus_value, eventv1.DisputeStatus_value, eventv1.ProofStatus_value,
		{skipped: 1, quarantined: 1},
	} {
		if values[outcome] != 0 {
			return true
		}
	}
	return false
}
