package gateway_test

import (
	"strings"
	"testing"
)

func TestOnlyPlainPathsReachTheService(t *testing.T) {
	long := strings.Repeat("a", 63)
	var n normalizer
	h := edge(t, &n)
	for _, c := range []struct {
		target string
		want   int
	}{
		{"/webhooks/clip/acme", 204},
		{"/webhooks/aci-opp/a-1-", 204},
		{"/webhooks/0/9", 204},
		{"/webhooks/" + long + "/" + long, 204},
		{"/webhooks/clip/acme?", 204},
		{"http://pay.example/webhooks/clip/acme", 204},
		{"/webhooks/" + long + "a/acme", 404},
		{"/webhooks/clip/" + long + "a", 404},
		{"/webhooks", 404},
		{"/webhooks/", 404},
		{"/webhooks/clip", 404},
		{"/webhooks/clip/", 404},
		{"/webhooks//acme", 404},
		{"//webhooks/clip/acme", 404},
		{"/webhooks//clip/acme", 404},
		{"/webhooks/clip//acme", 404},
		{"/webhooks/clip/acme/", 404},
		{"/webhooks/clip/acme/x", 404},
		{"/webhooks/clip/../acme", 404},
		{"/webhooks/../webhooks/clip/acme", 404},
		{"/./webhooks/clip/acme", 404},
		{"/webhooks/clip/..", 404},
		{"/webhooks/clip/.", 404},
		{"/webhooks/clip/%2e%2e", 404},
		{"/webhooks/clip/a%2Fb", 404},
		{"/webhooks/clip%2Facme", 404},
		{"/webhooks%2Fclip/acme", 404},
		{"/webhooks/clip/a%252Fb", 404},
		{"/webhooks/clip/%61cme", 404},
		{"/webhooks/clip/acme%20", 404},
		{"/webhooks/clip/acme%00", 404},
		{"/webhooks/clip/acme%0a", 404},
		{"/webhooks/clip/caf%C3%A9", 404},
		{"/webhooks/clip/caf\xc3\xa9", 404},
		{"/webhooks/clip/%ff", 404},
		{"/webhooks/clip/a+b", 404},
		{"/webhooks/clip/a:b", 404},
		{"/webhooks/clip/acme:watch", 404},
		{"/webhooks/clip/a;b", 404},
		{"/webhooks/clip/a.b", 404},
		{"/webhooks/clip/a_b", 404},
		{"/webhooks/clip/*", 404},
		{"/webhooks/clip/>", 404},
		{"/webhooks/clip/Acme", 404},
		{"/webhooks/-clip/acme", 404},
		{"/Webhooks/clip/acme", 404},
		{"/oauth2/clip/acme", 404},
		{"/oauth2/clip/acme/", 404},
		{"/oauth2/clip/acme/token/", 404},
		{"/oauth2/clip/acme/tokens", 404},
		{"/oauth2/clip/token", 404},
		{"/oauth2/clip//token", 404},
		{"/oauth2/clip/acme/x/token", 404},
		{"/", 404},
		{"/v2/events", 404},
		{"/paynorm.normalizer.v1.NormalizerService/IngestDelivery", 404},
		{"/healthz/", 404},
		{"*", 404},
	} {
		t.Run(c.target, func(t *testing.T) {
			a := send(t, h, "POST "+c.target+" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
			if a.status != c.want {
				t.Errorf("got %d %s, want %d", a.status, a.body, c.want)
			}
			if got := len(n.taken()); got != btoi(c.want == 204) {
				t.Errorf("the service was called %d times", got)
			}
			if a.header.Get("Location") != "" {
				t.Errorf("redirected to %s", a.header.Get("Location"))
			}
			if c.want == 404 && a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got Content-Type %q", a.header.Get("Content-Type"))
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestWebhooksAndTokensAreOnlyPosted(t *testing.T) {
	var n normalizer
	h := edge(t, &n)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post"} {
		for _, path := range []string{"/webhooks/clip/acme", "/oauth2/clip/acme/token"} {
			a := send(t, h, method+" "+path+" HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: POST\r\nContent-Length: 0\r\n\r\n")
			if a.status != 405 || a.header.Get("Allow") != "POST" {
				t.Errorf("%s %s: got %d, Allow %q; want 405, POST", method, path, a.status, a.header.Get("Allow"))
			}
		}
		if a := send(t, h, method+" /webhooks/clip/ HTTP/1.1\r\nHost: x\r\n\r\n"); a.status != 404 {
			t.Errorf("%s on no endpoint: got %d, want 404", method, a.status)
		}
	}
	if got := n.taken(); len(got) != 0 {
		t.Errorf("the service was called: %v", got)
	}
}
