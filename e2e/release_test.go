package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A webhook for an account that the endpoint does not expect is kept. When the
// operator has put the configuration right, reprocessing releases it, once, and
// whatever is rebuilt later comes to the same event, whatever is configured then.
func TestDeliveryForAnotherAccountIsReleasedWhenTheAccountIsExpected(t *testing.T) {
	s := consoleSite(t)
	p := s.serve(t)
	sender := newSite(t, []map[string]any{singleviewEndpoint(t, t.TempDir(), "SV0001")})
	pay := func() { // fails when it is not acknowledged
		t.Helper()
		sender.send(t, "--provider", "singleview", "--payment", "sv1", "--url", s.http)
		s.projected(t)
	}
	pay()
	if got := s.published(t); got != "quarantine.v1.singleview.acme account_mismatch" {
		t.Fatalf("published\n%s\nwant a notice and nothing else", got)
	}
	reprocess := func(request string) (change, event, sequence string) {
		t.Helper()
		status, answer := s.call(t, "/v1/deliveries/d1-0:reprocess", request)
		items, _ := answer["items"].([]any)
		if len(items) != 1 {
			t.Fatalf("reprocess %s: %d %v", request, status, answer)
		}
		item := items[0].(map[string]any)
		after, _ := item["after"].(map[string]any)
		name, _ := after["name"].(string)
		sequence, _ = answer["ledgerSequence"].(string)
		return strings.TrimPrefix(fmt.Sprint(item["change"]), "REPROCESS_CHANGE_"), name, sequence
	}
	if change, event, sequence := reprocess(`{}`); change != "NONE" || event != "" || sequence != "" {
		t.Errorf("before anything is mended: %s %s %s", change, event, sequence)
	}

	s.values["endpoints"].([]map[string]any)[1]["expect_accounts"] = []string{"SV0001"}
	s.reload(t, p)
	change, name, sequence := reprocess(`{"validateOnly": true}`)
	if change != "RELEASED" || !strings.HasPrefix(name, "events/") || sequence != "" {
		t.Errorf("what would be: %s %s %s", change, name, sequence)
	}
	if got := s.published(t); got != "quarantine.v1.singleview.acme account_mismatch" || len(s.stream(t, "PAYNORM_LEDGER")) != 1 {
		t.Errorf("only to ask what would be has changed something: %s", got)
	}
	if change, event, sequence := reprocess(`{}`); change != "RELEASED" || event != name || sequence != "2" {
		t.Errorf("released: %s %s %s, want %s", change, event, sequence, name)
	}
	if change, event, sequence := reprocess(`{}`); change != "NONE" || event != name || sequence != "" {
		t.Errorf("released once more: %s %s %s", change, event, sequence)
	}
	pay() // the provider repeats itself
	check := func() {
		t.Helper()
		if got, want := s.published(t), "quarantine.v1.singleview.acme account_mismatch\npayments.v1.live.singleview.acme.payment.paid "+name; got != want {
			t.Errorf("published\n%s\nwant\n%s", got, want)
		}
		outcome := s.get(t, "/v1/deliveries/d1-0", nil)["outcomes"].([]any)[0].(map[string]any)
		if outcome["releasedAs"] != name || outcome["quarantined"] == nil {
			t.Errorf("the notice is not marked as released by %s: %v", name, outcome)
		}
		if left := s.get(t, "/v1/deliveries", url.Values{"filter": {`quarantine_reason = "*"`}})["deliveries"]; left != nil {
			t.Errorf("still quarantined: %v", left)
		}
	}
	check()
	events := s.events(t, "")

	s.values["endpoints"].([]map[string]any)[1]["expect_accounts"] = []string{"SV9999"}
	s.write(t)
	for how, lose := range map[string]func(){
		"the view is lost":                  func() { s.loseView(t) },
		"the view is rebuilt":               func() { s.run(t, 0, "rebuild") },
		"view and event stream are rebuilt": func() { s.run(t, 0, "rebuild", "--events") },
	} {
		if code := p.stop(t); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		lose()
		p = s.serve(t)
		s.projected(t)
		if diff := cmp.Diff(events, s.events(t, "")); diff != "" || len(events) != 1 {
			t.Errorf("when %s, there are other events:\n%s", how, diff)
		}
		check()
	}
	s.run(t, 0, "verify")
}

// published returns the subjects of PAYNORM_EVENTS, each with the event's name or
// the reason of the notice.
func (s *site) published(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, m := range s.stream(t, "PAYNORM_EVENTS") {
		what := m.Headers().Get("Paynorm-Reason")
		if what == "" {
			what = "events/" + m.Headers().Get("Nats-Msg-Id")
		}
		lines = append(lines, m.Subject()+" "+what)
	}
	return strings.Join(lines, "\n")
}

// loseView deletes the view.
func (s *site) loseView(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "data", "view.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no view: %v", err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}
