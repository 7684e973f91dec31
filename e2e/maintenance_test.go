package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// run runs a paynorm command on the site and returns what it prints.
func (s *site) run(t *testing.T, wantCode int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), programs(t).paynorm, append(args, "--config", s.config)...)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		t.Fatalf("paynorm %s: exit code %d, %v\n%s", strings.Join(args, " "), code, err, out)
	}
	return string(out)
}

// A backup that was made while webhooks came in holds all that were acknowledged
// before it began. What is restored from it gives the same events, by name, place and content.
func TestRestoredBackupGivesTheSameEvents(t *testing.T) {
	s := newSite(t, nil, func(s *site) { s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")} })
	p := s.serve(t)
	s.run(t, 0, "send", "--storm", "--count", "200")
	s.projected(t)
	before := s.events(t, "")
	more := make(chan struct{})
	go func() {
		defer close(more)
		cmd := exec.Command(programs(t).paynorm, "send", "--storm", "--count", "200", "--config", s.config)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}()
	file := filepath.Join(s.dir, "backup")
	if out := s.run(t, 0, "backup", file); !strings.Contains(out, "it was read back and is whole") {
		t.Errorf("backup says %s", out)
	}
	<-more
	if out := s.run(t, 0, "verify"); !strings.Contains(out, "0 missing, 0 surplus, 0 different") {
		t.Errorf("verify of the running paynorm says %s", out)
	}
	if out := s.run(t, 1, "rebuild"); !strings.Contains(out, "in use by another paynorm") {
		t.Errorf("rebuild beside the running paynorm says %s", out)
	}
	if out := s.run(t, 1, "backup", file); !strings.Contains(out, "file exists") {
		t.Errorf("a second backup to the same file says %s", out)
	}
	all := s.events(t, "")
	if code := p.stop(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if out := s.run(t, 1, "restore", file); !strings.Contains(out, "restore into an empty data_dir") {
		t.Errorf("restore over data says %s", out)
	}

	if err := os.Rename(filepath.Join(s.dir, "data"), filepath.Join(s.dir, "lost")); err != nil {
		t.Fatal(err)
	}
	s.run(t, 0, "restore", file)
	p = s.serve(t)
	s.projected(t)
	restored := s.events(t, "")
	if len(restored) < len(before) {
		t.Fatalf("%d events are restored, %d were there before the backup began", len(restored), len(before))
	}
	if diff := cmp.Diff(all[:len(restored)], restored); diff != "" {
		t.Errorf("the restored events differ:\n%s", diff)
	}
	s.run(t, 0, "send", "--storm", "--count", "50") // and it goes on from there
	s.projected(t)
	s.run(t, 0, "verify")
	if code := p.stop(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}

	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"cut": whole[:len(whole)/2], "flipped": bytes.Replace(whole, []byte("clip"), []byte("clap"), 1), "no backup": []byte("hello")} {
		bad := filepath.Join(s.dir, "bad")
		if err := os.WriteFile(bad, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(s.dir, "data")); err != nil {
			t.Fatal(err)
		}
		if out := s.run(t, 1, "restore", bad); !strings.Contains(out, "backup") {
			t.Errorf("a backup that is %s: restore says %s", name, out)
		}
	}
}

// Views and streams that are lost come back the same.
func TestRebuiltEventsAreTheSame(t *testing.T) {
	s := newSite(t, nil, func(s *site) { s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")} })
	p := s.serve(t)
	s.run(t, 0, "send", "--storm", "--count", "200")
	s.projected(t)
	want := s.events(t, "")
	p.stop(t)
	for _, how := range [][]string{{"rebuild"}, {"rebuild", "--events"}, {"rebuild", "--dry-run"}} {
		s.run(t, 0, how...)
		s.run(t, 0, "verify")
	}
	p = s.serve(t)
	if diff := cmp.Diff(want, s.events(t, "")); diff != "" {
		t.Errorf("events after the rebuilding:\n%s", diff)
	}
	p.stop(t)
}

// With encryption on, nothing of a delivery is on disk in the clear, and erasing makes it unreadable
// for good while the events stay.
func TestErasedDeliveriesCannotBeRead(t *testing.T) {
	const mark = "Xochiquetzal-7731" // a word that is in no other place
	s := newSite(t, nil, func(s *site) {
		s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")}
		s.values["encryption"] = map[string]any{"keys": []any{map[string]any{"id": "k1", "key": secretFile(t, s.dir, "kek", strings.Repeat("0f", 32))}}}
	})
	p := s.serve(t, "--log-level", "debug")
	body, err := os.ReadFile(filepath.Join("..", "services", "normalizer", "provider", "clip", "testdata", "card_payment_completed", "body"))
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{"order-1042", "order-1043"} {
		text := strings.NewReplacer(`"customer_email": null`, `"customer_email": "`+mark+`@example.com"`, "order-1042", reference,
			"0f6b2b1e", reference[6:]+"2b1e").Replace(string(body))
		resp, err := http.Post(s.http+"/webhooks/clip/acme?token="+clipToken+"&note="+mark, "application/json", strings.NewReader(text))
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", resp, err)
		}
		resp.Body.Close()
	}
	s.projected(t)
	full := func(name any) map[string]any {
		return s.get(t, "/v1/"+name.(string), url.Values{"view": {"DELIVERY_VIEW_FULL"}})
	}
	deliveries := s.get(t, "/v1/deliveries", nil)["deliveries"].([]any)
	if len(deliveries) != 2 {
		t.Fatalf("%d deliveries, want 2", len(deliveries))
	}
	payment := map[string]any{} // by delivery
	for _, d := range deliveries {
		name := d.(map[string]any)["name"]
		stored := full(name)
		if text, err := base64.StdEncoding.DecodeString(stored["body"].(string)); err != nil || !bytes.Contains(text, []byte(mark)) {
			t.Errorf("%v cannot be read: %v", name, stored)
		}
		events := s.events(t, `delivery = "`+name.(string)+`"`)
		if len(events) != 1 {
			t.Fatalf("%d events of %v", len(events), name)
		}
		payment[name.(string)] = events[0]["payment"]
	}
	s.nowhere(t, mark)
	before := s.events(t, "")
	gone, stays := deliveries[0].(map[string]any)["name"].(string), deliveries[1].(map[string]any)["name"].(string)
	if out := s.run(t, 0, "erase", "--payment", payment[gone].(string)); !strings.Contains(out, "1 deliveries") {
		t.Errorf("erase says %s", out)
	}
	check := func() {
		t.Helper()
		if d := full(gone); d["erased"] != true || d["body"] != nil || d["remoteAddress"] != nil {
			t.Errorf("the erased delivery is %v", d)
		}
		if d := full(stays); d["erased"] == true || d["body"] == nil {
			t.Errorf("the other delivery is %v", d)
		}
		if diff := cmp.Diff(before, s.events(t, "")); diff != "" {
			t.Errorf("events changed:\n%s", diff)
		}
	}
	check()
	if out := s.run(t, 0, "verify"); !strings.Contains(out, "0 missing, 0 surplus, 0 different") {
		t.Errorf("verify after an erasure says %s", out)
	}
	s.post(t, "acme", "wrong", `{"`+mark+`":`)   // refused
	s.post(t, "acme", clipToken, `{"`+mark+`":`) // quarantined
	s.projected(t)
	if code := p.stop(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if log := p.out.String(); strings.Contains(log, mark) || strings.Contains(log, clipToken) || !strings.Contains(log, "msg=webhook") {
		t.Errorf("the debug log shows what is in a delivery, or no deliveries:\n%s", tail(log, 4000))
	}
	if out := s.run(t, 1, "rebuild", "--events"); !strings.Contains(out, "which would be lost") {
		t.Errorf("rebuild --events after an erasure says %s", out)
	}
	killed := filepath.Join(s.dir, "data", "verify-killed")
	if err := os.Mkdir(killed, 0o700); err != nil {
		t.Fatal(err)
	}
	s.run(t, 0, "rebuild")
	if _, err := os.Stat(killed); !os.IsNotExist(err) {
		t.Errorf("what a killed verification has left is still there (%v)", err)
	}
	p = s.serve(t)
	check()
	s.nowhere(t, mark)
	p.stop(t)
	if out := s.run(t, 1, "erase", "--payment", "payments/p00000000000000000000000000000000"); !strings.Contains(out, "not found") {
		t.Errorf("erase of an unknown payment says %s", out)
	}
}

// nowhere looks for a word in everything that paynorm has written.
func (s *site) nowhere(t *testing.T, word string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("%s shows what is in a delivery", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What Verify compares can differ: the view of another site has other events, and
// the ledger of another site gives other ones.
func TestVerifyFindsStoresThatDoNotBelongTogether(t *testing.T) {
	var sites [2]*site
	for i := range sites {
		s := newSite(t, nil, func(s *site) { s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")} })
		p := s.serve(t)
		for n := range 3 {
			s.accepted(t, "acme", clipBody(fmt.Sprintf("p%d-%d", i, n), "COMPLETED", n))
		}
		s.projected(t)
		if code := p.stop(t); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		s.run(t, 0, "verify")
		sites[i] = s
	}
	view, err := os.ReadFile(filepath.Join(sites[1].dir, "data", "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(sites[0].dir, "data", "view.db"), view, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := sites[0].run(t, 1, "verify"); !strings.Contains(out, "view: 3 events differ") || !strings.Contains(out, "the stores differ") {
		t.Errorf("verify of a view of another site says %s", out)
	}
	if out := sites[0].run(t, 1, "rebuild", "--dry-run"); !strings.Contains(out, "view: 3 events differ") {
		t.Errorf("rebuild --dry-run says %s", out)
	}
	sites[0].run(t, 0, "rebuild")
	sites[0].run(t, 0, "verify")
}
