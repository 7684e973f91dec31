package incode_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/incode"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

func TestConformance(t *testing.T) { providertest.Run(t, suite()) }

const tokenTTL = 5 * time.Minute

// client is a client of the token endpoint; each n has another secret.
func client(n int) provider.OAuth2Client {
	return provider.OAuth2Client{
		SecretKey: provider.SecretKey{
			ID:    []string{"oauth2-1", "oauth2-2", "oauth2-3"}[n],
			Value: []provider.Secret{"first-test-secret", "second-test-secret", "never-configured"}[n],
		},
		ClientID: "incode",
		TokenTTL: tokenTTL,
	}
}

// bearer adds a token of the client n that was handed out at issued.
func bearer(d *provider.Delivery, n int, issued time.Time) {
	token := scheme.NewBearer(client(n), d.Provider, d.Merchant, issued.Add(tokenTTL), [16]byte{1})
	d.Headers = append(d.Headers, provider.Header{Name: "authorization", Value: "Bearer " + token})
}

func suite() providertest.Suite {
	return providertest.Suite{
		Adapter: incode.New(),
		Keys:    provider.Keys{OAuth2: []provider.OAuth2Client{client(0), client(1)}},
		Sign: func(_ testing.TB, d *provider.Delivery, plaintext []byte, key int) {
			d.Body = plaintext
			bearer(d, key, d.ReceivedAt)
		},
		SignedHeaders: []string{"authorization"},
	}
}

func TestSchemesCombineAsIncodeDocumentsThem(t *testing.T) {
	received := time.Date(2025, 2, 11, 15, 0, 3, 0, time.UTC)
	oauth2 := provider.Keys{OAuth2: []provider.OAuth2Client{client(0)}}
	header := provider.Keys{Headers: []provider.HeaderKey{{SecretKey: provider.SecretKey{ID: "header-1", Value: "static"}, Name: "x-webhook-key"}}}
	either := provider.Keys{OAuth2: oauth2.OAuth2, Headers: header.Headers}
	fromOffice := header
	fromOffice.SourceIP = []provider.SourceIP{{ID: "office", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}
	static := func(d *provider.Delivery) {
		d.Headers = append(d.Headers, provider.Header{Name: "x-webhook-key", Value: "static"})
	}
	for _, c := range []struct {
		name  string
		keys  provider.Keys
		prove func(*provider.Delivery)
		want  string // the scheme; "" is refused
	}{
		{"a token of ours", oauth2, func(d *provider.Delivery) { bearer(d, 0, received) }, "oauth2"},
		{"a token that has run out", oauth2, func(d *provider.Delivery) { bearer(d, 0, received.Add(-tokenTTL)) }, ""},
		{"a token for another merchant", oauth2, func(d *provider.Delivery) {
			d.Merchant = "other"
			bearer(d, 0, received)
			d.Merchant = "acme"
		}, ""},
		{"a token that is not ours", oauth2, func(d *provider.Delivery) {
			d.Headers = []provider.Header{{Name: "authorization", Value: "Bearer opaque"}}
		}, ""},
		{"the fixed header", header, static, "header"},
		{"the fixed header instead of a token", either, static, "header"},
		{"a token instead of the fixed header", either, func(d *provider.Delivery) { bearer(d, 0, received) }, "oauth2"},
		{"neither", either, func(*provider.Delivery) {}, ""},
		{"the fixed header from the right place", fromOffice, func(d *provider.Delivery) {
			static(d)
			d.RemoteAddr = netip.MustParseAddr("203.0.113.9")
		}, "source_ip+header"},
		{"the fixed header from elsewhere", fromOffice, static, ""},
		{"anything, where that was asked for", provider.Keys{None: true}, func(*provider.Delivery) {}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := provider.Delivery{Provider: "incode", Merchant: "acme", Method: "POST", ReceivedAt: received, RemoteAddr: netip.MustParseAddr("192.0.2.7")}
			c.prove(&d)
			v, err := incode.New().Verify(d, c.keys)
			if c.want == "" && !errors.Is(err, provider.ErrNotAuthentic) {
				t.Errorf("got %v, want ErrNotAuthentic", err)
			}
			if c.want != "" && (err != nil || v.Scheme != c.want) {
				t.Errorf("got %q, %v; want %q", v.Scheme, err, c.want)
			}
		})
	}
}

func TestProofIsNeverAPayment(t *testing.T) {
	for _, m := range incode.New().Describe().Mappings {
		if _, ok := eventv1.ProofStatus_value[m.Outcome]; !ok {
			t.Errorf("%s becomes %s", m.ProviderStatus, m.Outcome)
		}
	}
}

// The words of one fact come composed or decomposed, with blanks of any kind.
func TestSpellingOfTheWordsDoesNotMakeAnotherFact(t *testing.T) {
	key := func(status, cancellation string) []string {
		body := `{"requestId":"r","status":"` + status + `","cancellationStatus":"` + cancellation + `"}`
		return incode.New().Normalize(provider.Delivery{}, []byte(body)).Items[0].Fact.Key
	}
	want := key("OK", "Cancelado sin aceptación")
	for _, cancellation := range []string{"Cancelado sin aceptacio\u0301n", " Cancelado\u00a0sin aceptación\u202f", "Cancelado sin aceptaci\\u00f3n"} {
		if diff := cmp.Diff(want, key("\u00a0OK ", cancellation)); diff != "" {
			t.Errorf("%q: the key differs (-want +got):\n%s", cancellation, diff)
		}
	}
	if other := key("OK", "Cancelado con aceptación"); cmp.Equal(want, other) {
		t.Errorf("another word has the same key %q", other)
	}
}
