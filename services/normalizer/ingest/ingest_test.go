package ingest_test

import (
	"log/slog"
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
`

// secrets are what sites names. TOKEN has what URLs escape.
var secrets = map[string]string{"TOKEN": "a+b/c d%41=", "NEXT": "next-token"}

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
		"token=next-token":                   "token=REDACTED",
		"a=b&token=a%2Bb%2Fc%20d%2541=&c":    "a=b&token=REDACTED&c",
		"token=a+b/c%20d%2541=":              "token=REDACTED",
		"to%6ben=next-token&token_type=none": "to%6ben=REDACTED&token_type=none",
	} {
		if got := d.take(t, provider.Delivery{Provider: "clip", RawQuery: query}).GetRawQuery(); got != want {
			t.Errorf("of %q the ledger keeps %q, want %q", query, got, want)
		}
	}
}
