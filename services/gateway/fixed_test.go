package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

func TestProbes(t *testing.T) {
	var down error
	ready := func(context.Context) error { return down }
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &normalizer{}), Ready: ready, OpenAPI: []byte(`{"openapi":"3"}`)})
	check := func(path string, status int, contentType, body string) {
		t.Helper()
		a := get(t, h, path)
		if a.status != status || a.body != body || a.header.Get("Content-Type") != contentType {
			t.Errorf("%s: got %d %s %s, want %d %s", path, a.status, a.header.Get("Content-Type"), a.body, status, body)
		}
	}
	check("/healthz", 200, "application/json", `{"status":"ok"}`)
	check("/readyz", 200, "application/json", `{"status":"ready"}`)
	check("/openapi.json", 200, "application/json", `{"openapi":"3"}`)
	check("/", 404, "application/problem+json", `{"type":"about:blank","title":"Not Found","status":404}`)
	down = errors.New("NATS is away")
	check("/healthz", 200, "application/json", `{"status":"ok"}`)
	check("/readyz", 503, "application/problem+json", `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"NATS is away"}`)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		if a := post(t, h, path, "", ""); a.status != 405 || a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: got %d, Allow %q", path, a.status, a.header.Get("Allow"))
		}
	}
	if a := send(t, h, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: got %d %q", a.status, a.body)
	}
	bare := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &normalizer{})})
	if a := get(t, bare, "/openapi.json"); a.status != 404 {
		t.Errorf("no OpenAPI: got %d, want 404", a.status)
	}
	if a := get(t, bare, "/readyz"); a.status != 200 {
		t.Errorf("no readiness check: got %d, want 200", a.status)
	}
}

func TestPanicIs500AndALogLine(t *testing.T) {
	var log bytes.Buffer
	h := serve(t, gateway.Options{
		Webhooks: conn(func(context.Context, string, any, any) error { panic("dropped the ball") }),
		Ready:    func(context.Context) error { panic("dropped the ball") },
		Logger:   slog.New(slog.NewTextHandler(&log, nil)),
	})
	for _, a := range []answered{get(t, h, "/readyz"), post(t, h, "/webhooks/clip/acme", "", "{}")} {
		if a.status != 500 || a.body != `{"type":"about:blank","title":"Internal Server Error","status":500}` {
			t.Errorf("got %d %s", a.status, a.body)
		}
	}
	if a := get(t, h, "/healthz"); a.status != 200 {
		t.Errorf("afterwards: got %d, want 200", a.status)
	}
	if got := strings.Count(log.String(), "dropped the ball"); got != 2 {
		t.Errorf("got %d log lines, want 2:\n%s", got, log.String())
	}
}

// brokenMetrics panics when the answer has begun already.
type brokenMetrics struct{}

func (brokenMetrics) Webhook(string, int, float64) { panic("dropped the ball") }

func TestPanicAfterTheAnswerHasBegunCutsIt(t *testing.T) {
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &normalizer{}), Metrics: brokenMetrics{}})
	r, err := http.Post(h.URL+"/webhooks/clip/acme", "", nil)
	if err == nil {
		t.Errorf("got %+v, want no answer", read(t, r))
	}
}

func TestServerHasTheLimitsOfItsOptions(t *testing.T) {
	for _, c := range []struct {
		name                      string
		o                         gateway.Options
		header, read, write, idle time.Duration
		headerBytes               int
	}{
		{"defaults", gateway.Options{}, 5 * time.Second, 15 * time.Second, 0, 90 * time.Second, 32 << 10},
		{"a short read timeout is for headers too", gateway.Options{ReadTimeout: time.Second}, time.Second, time.Second, 0, 90 * time.Second, 32 << 10},
		{"all given", gateway.Options{ReadHeaderTimeout: 1, ReadTimeout: 2, IdleTimeout: 3, MaxHeaderBytes: 4}, 1, 2, 0, 3, 4},
	} {
		s := gateway.Server(c.o)
		if s.ReadHeaderTimeout != c.header || s.ReadTimeout != c.read || s.WriteTimeout != c.write || s.IdleTimeout != c.idle || s.MaxHeaderBytes != c.headerBytes {
			t.Errorf("%s: got %v %v %v %v %d", c.name, s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxHeaderBytes)
		}
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/", nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: without a handler, got %d, want 404", c.name, w.Code)
		}
	}
}

// tally is a Metrics that keeps what it hears.
type tally struct {
	mu    sync.Mutex
	lines []string
}

func (m *tally) Webhook(provider string, status int, seconds float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, fmt.Sprintf("%s %d %.1f", provider, status, seconds))
}

func TestMetricsNameOnlyKnownProviders(t *testing.T) {
	var m tally
	var n normalizer
	n.answer = func(_ context.Context, _ *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
		return acknowledgement(204, "", ""), nil
	}
	clock := time.Unix(0, 0)
	now := func() time.Time {
		clock = clock.Add(500 * time.Millisecond)
		return clock
	}
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), Providers: []string{"clip"}, Metrics: &m, Now: now})
	post(t, h, "/webhooks/clip/acme", "", "{}")
	post(t, h, "/webhooks/invented/acme", "", "{}")
	post(t, h, "/webhooks/clip/a%20b", "", "{}")
	get(t, h, "/webhooks/clip/acme")
	post(t, h, "/oauth2/clip/acme", "", "{}")
	h.Close() // waits for the handlers
	want := []string{"clip 204 0.5", "other 204 0.5", "clip 404 0.5", "clip 405 0.5"}
	if diff := cmp.Diff(want, m.lines); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	ok := gateway.Options{Webhooks: conn(nil), Reads: conn(nil), Now: time.Now}
	if _, err := gateway.New(ok); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*gateway.Options){
		"no webhooks":          func(o *gateway.Options) { o.Webhooks = nil },
		"no reads":             func(o *gateway.Options) { o.Reads = nil },
		"no clock":             func(o *gateway.Options) { o.Now = nil },
		"negative body":        func(o *gateway.Options) { o.MaxBodyBytes = -1 },
		"body over 4 MiB":      func(o *gateway.Options) { o.MaxBodyBytes = 4<<20 + 1 },
		"negative concurrency": func(o *gateway.Options) { o.MaxConcurrentWebhooks = -1 },
		"negative headers":     func(o *gateway.Options) { o.MaxHeaderBytes = -1 },
		"negative timeout":     func(o *gateway.Options) { o.WebhookTimeout = -1 },
	} {
		o := ok
		change(&o)
		if _, err := gateway.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
