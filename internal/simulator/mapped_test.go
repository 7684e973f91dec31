package simulator_test

import (
	"crypto/elliptic"
	"testing"

	"github.com/paynorm/paynorm/internal/simulator"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
)

// TestEveryOutcomeOfTheMappingTablesIsSent reads what is sent with the real
// adapters: each status and each skip of a mapping table must come of a case.
func TestEveryOutcomeOfTheMappingTablesIsSent(t *testing.T) {
	key := newKey(t, elliptic.P521())
	for _, a := range providers.All() {
		id := a.Describe().ID
		sent := map[string]bool{}
		s := newSimulator(t, options(t, id, key))
		for _, c := range simulator.Cases(id) {
			req, body := request(t, s, c.Name, simulator.IDs{})
			for _, it := range a.Normalize(provider.Delivery{}, plaintext(t, id, req, body)).Items {
				if it.Row == nil {
					t.Errorf("%s %s: no row of the mapping table decided", id, c.Name)
					continue
				}
				sent[it.Row.Outcome] = true
				if it.Fact != nil && it.Fact.IfPaidRow != nil {
					sent[it.Fact.IfPaidRow.Outcome] = true
				}
			}
		}
		for _, m := range a.Describe().Mappings {
			if m.Outcome != "quarantined" && !sent[m.Outcome] {
				t.Errorf("%s: no case becomes %s (%s)", id, m.Outcome, m.ProviderStatus)
			}
		}
	}
}
