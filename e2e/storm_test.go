package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestStormLeavesOneEventForEachFact sends a realistic mix of lives, repeats,
// late and hostile deliveries from several senders at once.
func TestStormLeavesOneEventForEachFact(t *testing.T) {
	s := newSite(t, nil)
	secrets := exec.CommandContext(t.Context(), "go", "run", "./tools/devsecrets", "-o", filepath.Join(s.dir, "secrets"))
	secrets.Dir = ".."
	if out, err := secrets.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	token := func(file string) []any {
		return []any{map[string]any{"url_token": map[string]any{"secret": map[string]any{"file": "secrets/" + file}}}}
	}
	s.values["endpoints"] = []map[string]any{
		{"provider": "clip", "merchant": "acme", "mode": "live", "auth": token("clip-token")},
		{"provider": "singleview", "merchant": "acme", "mode": "live", "auth": token("singleview-token")},
		{"provider": "aci-opp", "merchant": "acme", "mode": "live", "auth": []any{map[string]any{"aes_gcm": map[string]any{"key": map[string]any{"file": "secrets/aci-opp-key"}}}}},
		{"provider": "incode", "merchant": "acme", "mode": "live", "auth": []any{map[string]any{"oauth2": map[string]any{"client_id": "incode", "client_secret": map[string]any{"file": "secrets/incode-client-secret"}}}}},
	}
	s.write(t)
	s.serve(t)
	storm := exec.CommandContext(t.Context(), programs(t).paynorm, "send", "--config", s.config, "--storm", "--count", "400")
	if out, err := storm.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.projected(t)
	names, versions := map[any]bool{}, map[any]int{}
	events := s.events(t, "")
	for _, e := range events {
		if names[e["name"]] {
			t.Errorf("event %v was published twice", e["name"])
		}
		names[e["name"]] = true
		if strings.HasSuffix(fmt.Sprint(e["disposition"]), "_APPLIED") {
			versions[e["payment"]]++
			if got := fmt.Sprint(e["paymentVersion"]); got != fmt.Sprint(versions[e["payment"]]) {
				t.Errorf("payment_version %s of %v, want %d", got, e["payment"], versions[e["payment"]])
			}
		}
	}
	if len(events) < 200 {
		t.Errorf("only %d events", len(events))
	}
}
