package gateway_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// BenchmarkWebhook is one webhook of 1 KB with ten headers through the handler,
// without the network on either side.
func BenchmarkWebhook(b *testing.B) {
	service := conn(func(_ context.Context, _ string, _, out any) error {
		r := out.(*normalizerv1.IngestDeliveryResponse)
		r.HttpStatus = 200
		r.Acknowledgement = acknowledgement(200, "application/json", `{"status":"OK"}`).GetAcknowledgement()
		return nil
	})
	g, err := gateway.New(gateway.Options{Webhooks: service, Reads: service, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	h := g.Handler()
	body := bytes.Repeat([]byte("0123456789abcdef"), 64)
	header := http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}, "Content-Length": {"1024"},
		"Content-Type": {"application/json"}, "User-Agent": {"provider/1"}, "X-Forwarded-For": {"203.0.113.9"},
		"X-Request-Id": {"1"}, "X-Signature": {"a", "b"},
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/clip/acme?token=secret", bytes.NewReader(body))
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
}
