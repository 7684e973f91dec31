package providertest

import (
	"bytes"
	"maps"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// checkMappings checks the mapping table against the cases: each row decides a
// case, and what a row decided is what it says.
func checkMappings(t *testing.T, s Suite, cases []testCase) {
	a := s.Adapter
	unused := map[provider.Mapping]bool{}
	for _, m := range a.Describe().Mappings {
		if m.ProviderStatus == "" || m.Source == "" || !knownOutcome(m.Outcome) {
			t.Errorf("mapping %+v: want words, a source, and a status of paynorm, %q or %q", m, skipped, quarantined)
		}
		if unused[m] {
			t.Errorf("mapping %+v occurs twice", m)
		}
		unused[m] = true
	}
	rows := maps.Clone(unused)
	for _, c := range cases {
		for i, it := range a.Normalize(c.unsigned(), bytes.Clone(c.body)).Items {
			for _, d := range decisions(it) {
				if d.row == nil {
					if d.needed {
						t.Errorf("case %s, item %d: no row decided that it is %s with reason %q", c.name, i, d.outcome, d.reason)
					}
					continue
				}
				delete(unused, *d.row)
				if !rows[*d.row] {
					t.Errorf("case %s, item %d: %+v decided, and is not in the mapping table", c.name, i, *d.row)
				}
				if d.row.Outcome != d.outcome || d.row.Reason != d.reason {
					t.Errorf("case %s, item %d: %s with reason %q was decided by %+v", c.name, i, d.outcome, d.reason, *d.row)
				}
			}
		}
	}
	for m := range unused {
		t.Errorf("mapping %+v decides no case", m)
	}
}

const (
	skipped     = "skipped"
	quarantined = "quarantined"
)

// decision is what the item became, and the row that decided it.
type decision struct {
	row             *provider.Mapping
	outcome, reason string
	needed          bool // there must be a row
}

// decisions returns that of the item, and that of the item when its payment was
// paid before. A word that the table lacks has no row by its nature, and a body
// or member that cannot be read is not about words.
func decisions(it provider.Item) []decision {
	if it.Skip != nil {
		return []decision{{it.Row, skipped, it.Skip.Reason, true}}
	}
	if q := it.Quarantine; q != nil {
		needed := q.Reason == eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION || q.Reason == eventv1.QuarantineReason_QUARANTINE_REASON_NEEDS_LOOKUP
		return []decision{{it.Row, quarantined, normalize.ReasonWord(q.Reason), needed}}
	}
	reason := it.Fact.Event.GetReason().GetCode()
	all := []decision{{it.Row, status(it.Fact.Event), reason, true}}
	if it.Fact.IfPaid != eventv1.PaymentStatus_PAYMENT_STATUS_UNSPECIFIED {
		all = append(all, decision{it.Fact.IfPaidRow, it.Fact.IfPaid.String(), reason, true})
	}
	return all
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
