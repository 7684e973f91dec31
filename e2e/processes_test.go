package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// external replaces the embedded NATS server by one at address.
func external(address string) func(*site) {
	return func(s *site) {
		s.nats = "nats://" + address
		s.values["nats"] = map[string]any{"url": s.nats}
	}
}

// startNATS runs a nats-server of its own on dir.
func startNATS(t *testing.T, address, dir string) *process {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, programs(t).natsServer, "-js", "-sd", dir, "-a", host, "-p", port)
	eventually(t, func() error {
		nc, err := nats.Connect("nats://" + address)
		if err == nil {
			nc.Close()
		}
		return err
	})
	return p
}

func TestGatewayNormalizerAndNATSAsThreeProcesses(t *testing.T) {
	address := freeAddress(t)
	startNATS(t, address, t.TempDir())
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")}, external(address))
	normalizer := start(t, programs(t).paynorm, "normalizer", "--config", s.config)
	gateway := start(t, programs(t).paynorm, "gateway", "--config", s.config)
	gateway.ready(t, s.http)

	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 2))
	s.projected(t)
	if events := s.events(t, `merchant = "acme"`); len(events) != 2 {
		t.Errorf("%d events, want 2", len(events))
	}
	for name, p := range map[string]*process{"gateway": gateway, "normalizer": normalizer} {
		if code := p.stop(t); code != 0 {
			t.Errorf("%s: exit code %d after SIGTERM, want 0", name, code)
		}
	}
}

func TestLostNATSIsAnswered503WithinASecondAndComesBack(t *testing.T) {
	for _, c := range []struct {
		name string
		away syscall.Signal
	}{{"killed", syscall.SIGKILL}, {"frozen", syscall.SIGSTOP}} {
		t.Run(c.name, func(t *testing.T) {
			address, store := freeAddress(t), t.TempDir()
			server := startNATS(t, address, store)
			s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")}, external(address))
			s.serve(t)
			s.accepted(t, "acme", clipBody("p1", "CREATED", 1))

			server.signal(c.away)
			for i := range 5 {
				began := time.Now()
				resp := s.post(t, "acme", clipToken, clipBody("p2", "COMPLETED", 2))
				if took := time.Since(began); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || took > time.Second {
					t.Errorf("webhook %d: %s after %v, Retry-After %q; want 503 within a second", i, resp.Status, took, resp.Header.Get("Retry-After"))
				}
			}
			resp, err := http.Get(s.http + "/readyz")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("readyz answers %s, want 503", resp.Status)
			}

			if c.away == syscall.SIGSTOP {
				server.signal(syscall.SIGCONT)
			} else {
				<-server.done
				startNATS(t, address, store)
			}
			eventually(t, func() error {
				if resp := s.post(t, "acme", clipToken, clipBody("p1", "COMPLETED", 3)); resp.StatusCode != http.StatusOK {
					return fmt.Errorf("still answered %s", resp.Status)
				}
				return nil
			})
			eventually(t, func() error {
				events := s.events(t, `provider_payment_id = "p1"`)
				if len(events) != 2 || !strings.HasSuffix(fmt.Sprint(events[1]["paymentStatus"]), "_PAID") {
					return fmt.Errorf("events are %v", events)
				}
				return nil
			})
		})
	}
}
