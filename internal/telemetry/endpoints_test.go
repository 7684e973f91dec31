package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/telemetry"
	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

func scrape(m *telemetry.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestAuthenticationsAreCountedByKeyAndEndpoint(t *testing.T) {
	m := telemetry.New(slog.New(slog.DiscardHandler), time.Now)
	m.Activity.Configure(activity.Endpoint{Provider: "clip", Merchant: "acme"}, eventv1.Mode_MODE_LIVE, []string{"url_token-1"})
	d := provider.Delivery{Provider: "clip", Merchant: "acme", ReceivedAt: time.Unix(1_700_000_000, 0), RemoteAddr: netip.MustParseAddr("203.0.113.9")}
	m.Authenticated(d, provider.Verified{KeyID: "url_token-1"}, nil)
	m.Authenticated(d, provider.Verified{}, errors.Join(provider.ErrNotAuthentic))
	m.Authenticated(d, provider.Verified{}, errors.Join(provider.ErrUndecodable))
	text := scrape(m)
	for _, want := range []string{
		`paynorm_authentications_total{merchant="acme",outcome="authentic",provider="clip"} 1`,
		`paynorm_authentications_total{merchant="acme",outcome="not_authentic",provider="clip"} 1`,
		`paynorm_authentications_total{merchant="acme",outcome="undecodable",provider="clip"} 1`,
		`paynorm_key_uses_total{key="url_token-1",merchant="acme",provider="clip"} 1`,
		`paynorm_endpoint_last_delivery_timestamp_seconds{merchant="acme",provider="clip"} 1.7e+09`,
		`paynorm_endpoint_silent{merchant="acme",provider="clip"} 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	r := m.Activity.Reports(time.Unix(1_700_000_000, 0))[0]
	if len(r.Refusals) != 2 || r.Refusals[0].Remote != "203.0.113.9" || r.Refusals[0].Cause == "" {
		t.Errorf("refusals %+v", r.Refusals)
	}
}

func TestSilenceIsLoggedOnceAndShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := telemetry.New(slog.New(slog.NewTextHandler(&log, nil)), time.Now)
		shop := activity.Endpoint{Provider: "clip", Merchant: "acme"}
		m.Activity.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"k"})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			m.WatchSilence(ctx)
			close(ended)
		}()
		for range 25 * 60 {
			m.Activity.Authentic(shop, "k", time.Now())
			time.Sleep(time.Minute)
		}
		time.Sleep(20 * time.Minute)
		if text := scrape(m); !strings.Contains(text, `paynorm_endpoint_silent{merchant="acme",provider="clip"} 1`) {
			t.Error("the gauge does not show the silence")
		}
		m.Activity.Authentic(shop, "k", time.Now())
		time.Sleep(time.Minute)
		cancel()
		<-ended
		if n := strings.Count(log.String(), "has fallen silent"); n != 1 {
			t.Errorf("logged %d times that it fell silent, want once:\n%s", n, log.String())
		}
		if n := strings.Count(log.String(), "receives again"); n != 1 {
			t.Errorf("logged %d times that it receives again, want once", n)
		}
	})
}
