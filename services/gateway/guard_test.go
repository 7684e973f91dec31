package gateway_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/internal/tlsfiles/tlstest"
	"github.com/paynorm/paynorm/services/gateway"
)

// direct gives requests to a gateway without a network, from any address.
func direct(t *testing.T, o gateway.Options) http.Handler {
	t.Helper()
	o.Reads = o.Webhooks
	if o.Now == nil {
		o.Now = time.Now
	}
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g.Handler()
}

// webhook posts to path from an address and returns the answer.
func webhook(h http.Handler, path, from string, forwarded ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
	r.RemoteAddr = from
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestForwardedAddressesAreBelievedFromTrustedProxiesOnly(t *testing.T) {
	n := &normalizer{}
	h := direct(t, gateway.Options{Webhooks: dialNormalizer(t, n), TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}})
	for _, tt := range []struct {
		name, from string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.9:5000", nil, "203.0.113.9:5000"},
		{"a stranger says so", "203.0.113.9:5000", []string{"192.0.2.1"}, "203.0.113.9:5000"},
		{"a proxy says so", "10.1.2.3:5000", []string{"192.0.2.1"}, "192.0.2.1"},
		{"the sender wrote the left part", "10.1.2.3:5000", []string{"198.51.100.1, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "10.1.2.3:5000", []string{"198.51.100.1", "192.0.2.1, 10.9.9.9"}, "192.0.2.1"},
		{"with a port", "10.1.2.3:5000", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"IPv6", "[2001:db8::1]:5000", []string{"[2001:db9::7]:1, 2001:db8::2"}, "2001:db9::7"},
		{"IPv4 in IPv6 form", "[::ffff:10.1.2.3]:5000", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a proxy that says nothing", "10.1.2.3:5000", nil, "10.1.2.3:5000"},
		{"proxies only", "10.1.2.3:5000", []string{"10.4.4.4"}, "10.4.4.4"},
		{"nonsense", "10.1.2.3:5000", []string{"192.0.2.1, localhost"}, "10.1.2.3:5000"},
		{"nonsense behind a proxy", "10.1.2.3:5000", []string{"', 10.4.4.4"}, "10.4.4.4"},
	} {
		if got := webhook(h, "/webhooks/clip/acme", tt.from, tt.forwarded...); got.Code != http.StatusNoContent {
			t.Fatalf("%s: answered %d", tt.name, got.Code)
		}
		if got := n.taken()[0].GetRemoteAddress(); got != tt.want {
			t.Errorf("%s: from %s, want %s", tt.name, got, tt.want)
		}
	}
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestAnEndpointOverItsRateDoesNotTakeFromOthers(t *testing.T) {
	c := &clock{at: time.Unix(1_800_000_000, 0)}
	h := direct(t, gateway.Options{Webhooks: dialNormalizer(t, &normalizer{}), Now: c.now, EndpointRate: gateway.Rate{PerSecond: 1, Burst: 2}})
	post := func(path string) int {
		w := webhook(h, path, "192.0.2.1:1")
		if w.Code == http.StatusServiceUnavailable && (w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "RATE_LIMITED")) {
			t.Errorf("503 with %v, %s", w.Header(), w.Body)
		}
		return w.Code
	}
	got := []int{post("/webhooks/clip/a"), post("/webhooks/clip/a"), post("/webhooks/clip/a"), post("/webhooks/clip/b")}
	c.pass(time.Second)
	got = append(got, post("/webhooks/clip/a"), post("/webhooks/clip/a"))
	if diff := cmp.Diff([]int{204, 204, 503, 204, 204, 503}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnAddressOverItsRateDoesNotTakeFromOthers(t *testing.T) {
	c := &clock{at: time.Unix(1_800_000_000, 0)}
	h := direct(t, gateway.Options{Webhooks: dialNormalizer(t, &normalizer{}), Now: c.now, AddressRate: gateway.Rate{PerSecond: 1, Burst: 1}})
	var got []int
	for _, from := range []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:1::1]:1"} {
		got = append(got, webhook(h, "/webhooks/clip/a", from).Code)
	}
	if diff := cmp.Diff([]int{204, 503, 204, 204, 503, 204}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEndpointThatHangsLeavesSlotsToOthers(t *testing.T) {
	entered, leave := make(chan struct{}, 8), make(chan struct{})
	n := &normalizer{answer: func(_ context.Context, r *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
		if r.GetMerchant() == "slow" {
			entered <- struct{}{}
			<-leave
		}
		return acknowledgement(204, "", ""), nil
	}}
	h := direct(t, gateway.Options{Webhooks: dialNormalizer(t, n), MaxConcurrentWebhooks: 8})
	var waiting sync.WaitGroup
	for range 6 {
		waiting.Go(func() { webhook(h, "/webhooks/clip/slow", "192.0.2.1:1") })
		<-entered
	}
	if got := webhook(h, "/webhooks/clip/slow", "192.0.2.1:1").Code; got != http.StatusServiceUnavailable {
		t.Errorf("the seventh of eight slots for one endpoint: %d", got)
	}
	if got := webhook(h, "/webhooks/clip/other", "192.0.2.1:1").Code; got != http.StatusNoContent {
		t.Errorf("another endpoint: %d", got)
	}
	close(leave)
	waiting.Wait()
	if got := webhook(h, "/webhooks/clip/slow", "192.0.2.1:1").Code; got != http.StatusNoContent {
		t.Errorf("afterwards: %d", got)
	}
}

func TestAReaderWithoutATokenIsAskedForOne(t *testing.T) {
	refuse := conn(func(context.Context, string, any, any) error {
		return status.Error(codes.Unauthenticated, "no bearer token")
	})
	h := direct(t, gateway.Options{Webhooks: refuse})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/events", nil))
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != `Bearer realm="paynorm"` {
		t.Errorf("got %d, %v", w.Code, w.Header())
	}
}

func TestTheCertificateOfTheSenderGoesAlongAndCannotBeWritten(t *testing.T) {
	const key = "paynorm-client-certificate-bin"
	got := make(chan []string, 1)
	n := &normalizer{answer: func(ctx context.Context, _ *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
		got <- metadata.ValueFromIncomingContext(ctx, key)
		return acknowledgement(204, "", ""), nil
	}}
	ca := tlstest.NewAuthority(t, "ca")
	server := httptest.NewUnstartedServer(direct(t, gateway.Options{Webhooks: dialNormalizer(t, n)}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "edge").TLS(t)}, ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate := ca.Issue(t, "rail").TLS(t)
	for name, certificates := range map[string][]tls.Certificate{"with": {certificate}, "without": nil} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), Certificates: certificates}}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/webhooks/clip/acme", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{key, "Grpc-Metadata-" + key, "X-Client-Cert"} {
			r.Header.Set(header, "Zm9yZ2Vk")
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		var want []string
		if certificates != nil {
			want = []string{string(certificate.Certificate[0])}
		}
		if diff := cmp.Diff(want, <-got); diff != "" {
			t.Errorf("%s a certificate (-want +got):\n%s", name, diff)
		}
	}
}
