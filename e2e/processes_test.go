package e2e

import (
	"fmt"
	"io"
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
	address := freeAddresses(t, 1)[0]
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
	watch, err := http.Get(s.http + "/v1/events:watch")
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Body.Close()
	if code := gateway.stop(t); code != 0 {
		t.Errorf("gateway: exit code %d after SIGTERM, want 0", code)
	}
	told, err := io.ReadAll(watch.Body)
	if want := `"status":503,"reason":"STOPPING"`; err != nil || !strings.Contains(string(told), want) {
		t.Errorf("a watch over the gateway ends with %q, %v; want %s", told, err, want)
	}
	if code := normalizer.stop(t); code != 0 {
		t.Errorf("normalizer: exit code %d after SIGTERM, want 0", code)
	}
}

func TestGatewayTellsWhatItServesAndWhatItWaitsFor(t *testing.T) {
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")})
	gateway := start(t, programs(t).paynorm, "gateway", "--config", s.config)
	told := func(want string) {
		t.Helper()
		eventually(t, func() error {
			if !strings.Contains(gateway.out.String(), want) {
				return fmt.Errorf("%s is not in the log", want)
			}
			return nil
		})
	}
	where := fmt.Sprintf("http=%s normalizer=%s", strings.TrimPrefix(s.http, "http://"), s.grpc)
	told(fmt.Sprintf("msg=\"paynorm waits for the normalizer\" %s cause=\"the normalizer at %s does not answer\"\n", where, s.grpc))
	if log := gateway.out.String(); strings.Contains(log, "ready") {
		t.Errorf("the gateway is ready without a normalizer:\n%s", log)
	}
	start(t, programs(t).paynorm, "normalizer", "--config", s.config)
	told(fmt.Sprintf("msg=\"paynorm is ready\" %s\n", where))
	s.accepted(t, "acme", clipBody("p1", "CREATED", 1))
}

func TestLostNATSIsAnswered503WithinASecondAndComesBack(t *testing.T) {
	for _, c := range []struct {
		name        string
		away        syscall.Signal
		mayBeStored int // of the webhook that was on its way
	}{{"killed", syscall.SIGKILL, 0}, {"frozen", syscall.SIGSTOP, 1}} {
		t.Run(c.name, func(t *testing.T) {
			address, store := freeAddresses(t, 1)[0], t.TempDir()
			server := startNATS(t, address, store)
			s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")}, external(address))
			s.serve(t)
			s.accepted(t, "acme", clipBody("p1", "CREATED", 1))

			server.signal(c.away)
			if c.away == syscall.SIGKILL {
				<-server.done // so that nothing of what comes now can still reach it
			}
			// The first webhook may be on its way to NATS before anybody knows that it is away;
			// the others are refused because that is known.
			first, known := clipBody("p2", "COMPLETED", 2), clipBody("p3", "COMPLETED", 2)
			for i, body := range []string{first, known, known, known, known} {
				began := time.Now()
				resp := s.post(t, "acme", clipToken, body)
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

			// Behind p1's second commit there is no place left for one that was given up, so
			// what is not stored by now never will be. What NATS had taken in when it froze
			// may be stored: nobody can call it back.
			inFlight := s.delivered(t, first)
			if inFlight > c.mayBeStored {
				t.Errorf("the refused webhook is stored %d times, want at most %d", inFlight, c.mayBeStored)
			}
			if n := s.delivered(t, known); n != 0 {
				t.Errorf("what was refused while NATS was known to be away is stored %d times", n)
			}
			s.projected(t)
			for payment, want := range map[string]int{"p2": inFlight, "p3": 0} {
				if events := s.events(t, fmt.Sprintf("provider_payment_id = %q", payment)); len(events) != want {
					t.Errorf("%d events of %s, want %d: it was refused, and stored %d times", len(events), payment, want, want)
				}
			}
			s.accepted(t, "acme", first) // the provider's retry
			s.accepted(t, "acme", known)
			s.projected(t)
			for payment, body := range map[string]string{"p2": first, "p3": known} {
				if events := s.events(t, fmt.Sprintf("provider_payment_id = %q", payment)); len(events) != 1 {
					t.Errorf("%d events of %s after the provider's retry, want 1: %v", len(events), payment, events)
				}
				if n, want := s.delivered(t, body), map[string]int{"p2": inFlight + 1, "p3": 1}[payment]; n != want {
					t.Errorf("%s is stored %d times after the provider's retry, want %d", payment, n, want)
				}
			}
		})
	}
}
