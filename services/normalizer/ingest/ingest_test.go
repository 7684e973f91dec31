package ingest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
)

const sites = `
endpoints:
  - provider: clip
    merchant: acme
    mode: live
    auth:
      - url_token: {secret: {env: TOKEN}}
      - url_token: {secret: {env: NEXT}}
      - url_token: {secret: {env: LONGER}}
  - provider: incode
    merchant: acme
    mode: live
    auth:
      - oauth2: {client_id: them, client_secret: {env: CLIENT}}
      - oauth2: {client_id: "them & us%41", client_secret: {env: ODD}}
      - header: {name: X-Webhook-Key, secret: {env: KEY}}
`

// secrets are what sites names. TOKEN has what URLs escape, LONGER begins like NEXT.
var secrets = map[string]string{
	"TOKEN": "a+b/c d%41=", "NEXT": "next-token", "LONGER": "next-token-2", "CLIENT": "client-secret", "ODD": "a+b/c:d %41=", "KEY": "header-key",
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// endpoints are those of sites.
func endpoints(t *testing.T) *endpoint.Set {
	t.Helper()
	cfg, err := config.Parse("paynorm.yaml", []byte(sites))
	if err != nil {
		t.Fatal(err)
	}
	set, err := endpoint.Build(cfg, "", providers.All(), func(name string) (string, bool) {
		value, ok := secrets[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

type unobserved struct{}

func (unobserved) Authenticated(provider.Delivery, provider.Verified, error) {}

// desk takes webhooks into a ledger of its own.
type desk struct {
	service ingest.Service
	ledger  *ledger.Ledger
	at      ledger.Place // of the last delivery
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{
		Conn: natsdtest.Connect(t, natsdtest.Start(t, "")), Replicas: 1, AckTimeout: 5 * time.Second,
		Now: time.Now, Health: func(error) {}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	d := &desk{ledger: l}
	d.service = ingest.Service{Endpoints: endpoints(t), Ledger: l, Observer: unobserved{}, DeliveryName: func(at ledger.Place) string {
		d.at = at
		return "deliveries/d1-0"
	}}
	return d
}

// take has a webhook accepted and returns what the ledger keeps of it.
func (d *desk) take(t *testing.T, webhook provider.Delivery) *ledgerv1.Delivery {
	t.Helper()
	webhook.Method, webhook.Merchant, webhook.ReceivedAt = "POST", "acme", noon()
	if _, err := d.service.Ingest(t.Context(), webhook); err != nil {
		t.Fatal(err)
	}
	c, err := d.ledger.Get(t.Context(), d.at.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	return c.GetDeliveries()[d.at.Index]
}

func TestTheTokenIsTakenOutOfTheQuery(t *testing.T) {
	d := newDesk(t)
	for query, want := range map[string]string{
		"token=next-token":                "token=REDACTED",
		"a=b&token=a%2Bb%2Fc%20d%2541=&c": "a=b&token=REDACTED&c",
		"token=a+b/c%20d%2541=":           "token=REDACTED",
		"token=next-token&a=%3Dnext-token&b=%6eext-token&next-token&c=x-token": "token=REDACTED&a=%3DREDACTED&b=REDACTED&REDACTED&c=x-token",
		"to%6ben=next-token&token_type=none":                                   "to%6ben=REDACTED&token_type=none",
	} {
		if got := d.take(t, provider.Delivery{Provider: "clip", RawQuery: query}).GetRawQuery(); got != want {
			t.Errorf("of %q the ledger keeps %q, want %q", query, got, want)
		}
	}
}

// Proxies repeat the URL and the headers of a request in headers of their own.
func TestSecretsAreTakenOutWhereverTheyAre(t *testing.T) {
	d := newDesk(t)
	bearer := bearerToken(t)
	for _, c := range []struct {
		provider, query, header, value, want string
	}{
		{"clip", "token=next-token", "x-original-url", "/webhooks/clip/acme?token=next-token&a=b", "/webhooks/clip/acme?token=REDACTED&a=b"},
		{"clip", "token=next-token", "referer", "https://x/?a=next-token&b=%6Eext%2Dtoken#next-token", "https://x/?a=REDACTED&b=REDACTED#REDACTED"},
		{"clip", "token=next-token", "x-rotated", "next-token-2", "REDACTED"},
		{"clip", "token=next-token", "x-part", "next-toke next%token %next-toke 100%", "next-toke next%token %next-toke 100%"},
		{"clip", "token=next-token", "x-bytes", "\xffnext-token\x00", "\xffREDACTED\x00"},
		{"clip", "token=a%2Bb%2Fc+d%2541%3D", "x-forwarded-uri", "/?token=a%2Bb%2Fc+d%2541%3D", "/?token=REDACTED"},
		{"clip", "token=a%2Bb%2Fc+d%2541%3D", "x-envoy-original-path", "/?token=a%2bb/c%20d%2541=", "/?token=REDACTED"},
		{"clip", "token=a%2Bb%2Fc+d%2541%3D", "x-decoded", "a+b/c d%41= a b/c d%41=", "REDACTED REDACTED"},
		{"clip", "token=a%2Bb%2Fc+d%2541%3D", "x-nested", "/?to=%2F%3Ftoken%3Da%252Bb%252Fc%2520d%25252541%3D", "/?to=%2F%3Ftoken%3DREDACTED"},
		{"incode", "", "x-webhook-key", "header-key", "REDACTED"},
		{"incode", "", "x-copy", "header-key", "REDACTED"},
		{"incode", "", "x-forwarded-authorization", "Bearer " + bearer, "Bearer REDACTED"},
		{"incode", "", "authorization", "Bearer " + bearer, "REDACTED"},
		{"incode", "", "x-client", "client-secret", "REDACTED"},
	} {
		webhook := provider.Delivery{Provider: c.provider, RawQuery: c.query, Headers: []provider.Header{{Name: c.header, Value: c.value}}, Body: []byte(c.value)}
		if c.provider == "incode" && c.header != "x-webhook-key" && c.header != "authorization" {
			webhook.Headers = append(webhook.Headers, provider.Header{Name: "authorization", Value: "Bearer " + bearer})
		}
		kept := d.take(t, webhook)
		if got := string(kept.GetHeaders()[0].GetValue()); got != c.want {
			t.Errorf("of %s: %q the ledger keeps %q, want %q", c.header, c.value, got, c.want)
		}
		if got := string(kept.GetBody()); got != c.value {
			t.Errorf("of the body %q the ledger keeps %q", c.value, got)
		}
	}
}

// An Authorization that is too short for a secret is no word to look for.
func TestAShortAuthorizationIsLeftElsewhere(t *testing.T) {
	for _, value := range []string{"Basic json", "json", "Basic ", ""} {
		kept := newDesk(t).take(t, provider.Delivery{Provider: "clip", RawQuery: "token=next-token", Headers: []provider.Header{
			{Name: "authorization", Value: value}, {Name: "content-type", Value: "application/json"},
		}})
		if got := string(kept.GetHeaders()[1].GetValue()); got != "application/json" {
			t.Errorf("beside Authorization %q, the content type is kept as %q", value, got)
		}
	}
}

// bearerToken fetches a token as Incode does.
func bearerToken(t *testing.T) string {
	t.Helper()
	tokens := ingest.Tokens{Endpoints: endpoints(t), Now: noon}
	authorization := "Basic " + base64.StdEncoding.EncodeToString([]byte("them:client-secret"))
	answer, err := tokens.IssueToken(t.Context(), "incode", "acme", authorization, []byte("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		Bearer string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &token); err != nil {
		t.Fatal(err)
	}
	return token.Bearer
}

// RFC 6749, section 2.3.1, has both parts encoded as in a form; many send them as they are.
func TestClientsAreKnownInBothForms(t *testing.T) {
	tokens := ingest.Tokens{Endpoints: endpoints(t), Now: noon}
	const id, secret = "them & us%41", "a+b/c:d %41="
	for _, c := range []struct {
		claim, user, password string
		want                  bool
	}{
		{"as they are", id, secret, true},
		{"as in a form", url.QueryEscape(id), url.QueryEscape(secret), true},
		{"with escapes that are not needed", "%74hem+%26+us%2541", "a%2bb/c:d%20%2541=", true},
		{"plain ones", "them", "client-secret", true},
		{"plain ones, escaped", "%74hem", "client%2Dsecret", true},
		{"one in each form", url.QueryEscape(id), secret, false},
		{"escaped twice", url.QueryEscape(url.QueryEscape(id)), url.QueryEscape(url.QueryEscape(secret)), false},
		{"another's secret", "them", url.QueryEscape(secret), false},
		{"an escape that is none", "them", "%zz", false},
		{"no secret", "them", "", false},
		{"nothing", "", "", false},
	} {
		authorization := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.password))
		_, err := tokens.IssueToken(t.Context(), "incode", "acme", authorization, []byte("grant_type=client_credentials"))
		if got := err == nil; got != c.want || !got && !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%s: got %v, want a token: %t", c.claim, err, c.want)
		}
	}
}
