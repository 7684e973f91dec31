package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// explain runs the command and returns what it printed, on both ways, and whether it succeeded.
func (s *site) explain(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), programs(t).paynorm, append([]string{"explain", "--config", s.config}, args...)...)
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	return out.String(), problems.String(), err == nil
}

func TestExplainTellsTheStoryOfAPayment(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, []map[string]any{clipEndpoint(t, dir, "acme"), clipEndpoint(t, dir, "bolt")})
	s.serve(t)
	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 5))
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 5)) // again
	s.accepted(t, "acme", clipBody("p1", "EXPIRED", 3))   // late
	s.accepted(t, "acme", clipBody("p2", "COMPLETED", 5))
	s.accepted(t, "bolt", clipBody("p2", "COMPLETED", 5))
	s.projected(t)
	name, _ := s.events(t, `provider_payment_id = "p1"`)[0]["payment"].(string)

	want := []string{
		name + " is PAID.", "merchant acme, live", "The merchant's reference is order-p1.",
		`clip said "CREATED" (CHECKOUT), at 2026-04-01 12:01:00 UTC by its created_at.`,
		`Mapping row: "CHECKOUT COMPLETED" becomes PAYMENT_STATUS_PAID.`,
		"The payment went from PENDING to PAID.", "Published on payments.v1.live.clip.acme.payment.paid with cursor 2",
		"told it again from 127.0.0.1.", "Nothing new: events/",
		"Nothing changed: it is older than what was known", "Published on observations.v1.live.clip.acme.payment.expired",
		"Authenticated by url_token",
	}
	for _, payment := range []string{name, "p1", "order-p1"} {
		out, problems, ok := s.explain(t, payment)
		if !ok || problems != "" {
			t.Fatalf("explain %s: %s", payment, problems)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("explain %s does not say %q:\n%s", payment, text, out)
			}
		}
	}

	out, problems, ok := s.explain(t, "--json", "p1")
	var x struct{ Steps []map[string]any }
	if err := json.Unmarshal([]byte(out), &x); !ok || err != nil || len(x.Steps) != 4 {
		t.Errorf("explain --json: %v, %s\n%s", err, problems, out)
	}
	out, problems, ok = s.explain(t, "p2")
	if ok || strings.Count(out, "payments/p") != 2 || !strings.Contains(problems, "2 payments have the ID or reference") {
		t.Errorf("of two payments: %s%s", out, problems)
	}
	for payment, want := range map[string]string{
		`p"9`: "no payment has", "payments/none": "404 Not Found: not found", "payments/NONE": "400 Bad Request: name: ",
	} {
		if out, problems, ok := s.explain(t, payment); ok || !strings.Contains(problems, want) {
			t.Errorf("explain %s: %s%s, want %q", payment, out, problems, want)
		}
	}
	if _, problems, ok := s.explain(t, "--url", "http://"+freeAddresses(t, 1)[0], "p1"); ok || !strings.Contains(problems, "connection refused") {
		t.Errorf("where nobody listens: %s", problems)
	}
}
