package simulator_test

import (
	"crypto/elliptic"
	"net/http"
	"testing"

	"github.com/paynorm/paynorm/internal/simulator"
)

func TestStormHasAllKindsOfDeliveriesAndIsWellFormed(t *testing.T) {
	var players []*simulator.Simulator
	for _, p := range simulator.Providers() {
		players = append(players, newSimulator(t, options(t, p, newKey(t, elliptic.P521()))))
	}
	storm := simulator.NewStorm(players, 7)
	kinds, providers := map[string]int{}, map[string]int{}
	for range 150 {
		shots, err := storm.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shots {
			kinds[s.Kind]++
			providers[s.Provider]++
			if s.Request.Method != http.MethodPost || s.Request.GetBody == nil {
				t.Fatalf("%s of %s: %s request, GetBody set: %v", s.Kind, s.Provider, s.Request.Method, s.Request.GetBody != nil)
			}
			switch s.Kind {
			case "forged", "stray":
				if s.Acknowledged {
					t.Errorf("%s of %s must be refused", s.Kind, s.Provider)
				}
			case "webhook", "repeat", "late":
				if !s.Acknowledged {
					t.Errorf("%s of %s must be acknowledged", s.Kind, s.Provider)
				}
			}
		}
	}
	for _, kind := range []string{"webhook", "repeat", "late", "forged", "garbage", "stray"} {
		if kinds[kind] == 0 {
			t.Errorf("no delivery of kind %q in %v", kind, kinds)
		}
	}
	if len(providers) != len(players) {
		t.Errorf("deliveries of %v, want all providers", providers)
	}
}
