package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestRepeatedLateUnknownAndForgedWebhooks(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, []map[string]any{clipEndpoint(t, dir, "acme")})
	s.serve(t)

	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 5))
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 5)) // again
	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))   // late
	s.accepted(t, "acme", clipBody("p1", "TELEPORTED", 6))
	before := len(s.stream(t, "PAYNORM_LEDGER"))
	if resp := s.post(t, "acme", "wrong", clipBody("p2", "COMPLETED", 5)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong token is answered %s, want 401", resp.Status)
	}
	if resp := s.post(t, "nobody", clipToken, clipBody("p2", "COMPLETED", 5)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown endpoint is answered %s, want 404", resp.Status)
	}
	if after := len(s.stream(t, "PAYNORM_LEDGER")); after != before {
		t.Errorf("refused webhooks left %d commits in the ledger", after-before)
	}

	s.projected(t)
	var subjects []string
	for i, m := range s.stream(t, "PAYNORM_EVENTS") {
		subjects = append(subjects, m.Subject())
		meta, err := m.Metadata()
		if err != nil || meta.Sequence.Stream != uint64(i+1) {
			t.Errorf("message %d has sequence %v (%v)", i+1, meta, err)
		}
	}
	want := "payments.v1.live.clip.acme.payment.paid observations.v1.live.clip.acme.payment.pending quarantine.v1.clip.acme"
	if got := strings.Join(subjects, " "); got != want {
		t.Errorf("subjects are\n%s\nwant\n%s", got, want)
	}
	for _, secret := range []string{clipToken} {
		for _, m := range s.stream(t, "PAYNORM_LEDGER") {
			if strings.Contains(string(m.Data()), secret) {
				t.Error("the ledger holds a credential")
			}
		}
	}
}

func TestSecondProcessOnTheSameDataRefusesToStart(t *testing.T) {
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")})
	s.serve(t)
	other := newSite(t, nil)
	other.values["data_dir"] = s.values["data_dir"]
	other.write(t)
	p := start(t, programs(t).paynorm, "serve", "--config", other.config)
	<-p.done
	if p.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(p.out.String(), "in use by another paynorm") {
		t.Errorf("exit code %d, output:\n%s", p.cmd.ProcessState.ExitCode(), p.out)
	}
}

func TestStoppedAndKilledProcessesGoOnWhereTheyWere(t *testing.T) {
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")})
	p := s.serve(t)
	for i := range 20 {
		s.accepted(t, "acme", clipBody(fmt.Sprint("a", i), "CREATED", 1))
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	p = s.serve(t)
	for i := range 20 {
		s.accepted(t, "acme", clipBody(fmt.Sprint("a", i), "COMPLETED", 2))
	}
	p.signal(syscall.SIGKILL)
	<-p.done
	s.serve(t)
	for i := range 20 {
		s.accepted(t, "acme", clipBody(fmt.Sprint("a", i), "COMPLETED", 2)) // the provider's retry
	}
	s.projected(t)
	events := s.events(t, `merchant = "acme"`)
	if len(events) != 40 {
		t.Fatalf("%d events, want 40", len(events))
	}
	for i, e := range events {
		if want := fmt.Sprint(1 + i/20); e["paymentVersion"] != want {
			t.Errorf("event %d has payment_version %v, want %s", i, e["paymentVersion"], want)
		}
	}
}

func TestChangedConfigurationIsLoadedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, []map[string]any{clipEndpoint(t, dir, "acme")})
	p := s.serve(t)
	s.values["endpoints"] = []map[string]any{clipEndpoint(t, dir, "acme"), clipEndpoint(t, dir, "globex")}
	s.reload(t, p)
	s.accepted(t, "globex", clipBody("g", "CREATED", 1))
	s.values["endpoints"] = "nonsense"
	s.write(t)
	p.signal(syscall.SIGHUP)
	eventually(t, func() error {
		if !strings.Contains(p.out.String(), "not reloaded") {
			return fmt.Errorf("the bad file is not reported")
		}
		return nil
	})
	s.accepted(t, "acme", clipBody("g", "CREATED", 1))
}
