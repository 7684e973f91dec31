package gateway_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// FuzzRequest checks, for any path, query, header and body, that the edge does
// not break, does not redirect, and hands on either exactly what came or nothing.
func FuzzRequest(f *testing.F) {
	f.Add("/webhooks/clip/acme", "a=%zz&b;c", "X-Signature", "caf\xc3\xa9 \xff", []byte("{}"))
	f.Add("/webhooks/clip/a%2Fb", "", "Grpc-Timeout", "1n", []byte(nil))
	f.Add("/webhooks//acme/../x", "merchant=evil", "X-Http-Method-Override", "GET", []byte("a=1"))
	f.Add("/oauth2/clip/acme/token", "", "Foo-Bin", "!!", []byte("\x00\xff"))
	f.Add("/webhooks/clip/acme", "", "X-\u212a", "in lower case it is shorter", []byte("{}"))
	f.Add("/webhooks/clip/acme", "", "X-\xff", "in lower case it is longer", []byte("{}"))
	f.Add("/v1/events:watch", "after_cursor=1", "Last-Event-Id", "x", []byte(nil))
	f.Add("/v1/events/%ff", "filter=%ff", "Accept", "text/event-stream;;", []byte(nil))
	var got *normalizerv1.IngestDeliveryRequest
	service := conn(func(_ context.Context, _ string, in, out any) error {
		r, ok := in.(*normalizerv1.IngestDeliveryRequest)
		if !ok {
			return status.Error(codes.NotFound, "")
		}
		got = r
		out.(*normalizerv1.IngestDeliveryResponse).HttpStatus = 204
		return nil
	})
	g, err := gateway.New(gateway.Options{Webhooks: service, Reads: service, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	name := regexp.MustCompile(`^/webhooks/([a-z0-9][a-z0-9-]{0,62})/([a-z0-9][a-z0-9-]{0,62})$`)
	f.Fuzz(func(t *testing.T, path, query, header, value string, body []byte) {
		u, err := url.ParseRequestURI(path)
		if err != nil || strings.Contains(path, "?") || header == "" {
			return
		}
		u.RawQuery = query
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.URL = u
		r.Header[header] = []string{value}
		w := httptest.NewRecorder()
		got = nil
		g.Handler().ServeHTTP(w, r)
		if w.Code >= 300 && w.Code < 400 || w.Code == 500 {
			t.Fatalf("answered %d %s", w.Code, w.Body)
		}
		parts := name.FindStringSubmatch(u.EscapedPath())
		fits := parts != nil && len(query) <= 8192
		if fits != (got != nil) {
			t.Fatalf("path %q: handed on %v, want %v", path, got != nil, fits)
		}
		if !fits {
			return
		}
		same := got.GetPath() == u.EscapedPath() && got.GetProvider() == parts[1] && got.GetMerchant() == parts[2] &&
			string(got.GetRawQuery()) == query && bytes.Equal(got.GetBody(), body) && got.GetMethod() == http.MethodPost
		if !same {
			t.Fatalf("came %q %q %q, went on %v", path, query, body, got)
		}
		for _, h := range got.GetHeaders() {
			if h.GetName() == strings.ToLower(header) && string(h.GetValue()) == value {
				return
			}
		}
		t.Fatalf("header %q: %q is not among %v", header, value, got.GetHeaders())
	})
}
