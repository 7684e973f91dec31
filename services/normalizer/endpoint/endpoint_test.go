package endpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// adapter is a provider that has a descriptor and receives nothing.
type adapter struct{ descriptor provider.Descriptor }

func (a adapter) Describe() provider.Descriptor { return a.descriptor }

func (adapter) Verify(provider.Delivery, provider.Keys) (provider.Verified, error) {
	return provider.Verified{}, provider.ErrNotAuthentic
}

func (adapter) Normalize(provider.Delivery, []byte) provider.Result { return provider.Result{} }

// adapters are one provider that has every scheme, and one that has url_token only.
func adapters() []provider.Adapter {
	ok := provider.Acknowledgement{Status: 200, ContentType: "application/json", Body: `{"status":"OK"}`}
	return []provider.Adapter{
		adapter{provider.Descriptor{ID: "every", Acknowledgement: ok, Schemes: []provider.SchemeKind{
			provider.SchemeURLToken, provider.SchemeAESGCM, provider.SchemeJWT, provider.SchemeOAuth2,
			provider.SchemeHeader, provider.SchemeSourceIP, provider.SchemeNone,
		}}},
		adapter{provider.Descriptor{ID: "plain", Schemes: []provider.SchemeKind{provider.SchemeURLToken, provider.SchemeNone}}},
	}
}

func noEnv(string) (string, bool) { return "", false }

func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func publicPEM(t *testing.T, curve elliptic.Curve) (pemText string, public *ecdsa.PublicKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), &key.PublicKey
}

// build builds the endpoints of a configuration text whose secret files lie in dir.
func build(t *testing.T, dir, text string, getenv func(string) (string, bool)) (*endpoint.Set, error) {
	t.Helper()
	cfg, err := config.Parse("paynorm.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return endpoint.Build(cfg, dir, adapters(), getenv)
}

func TestEndpointHasTheConfiguredKeys(t *testing.T) {
	dir := t.TempDir()
	text, public := publicPEM(t, elliptic.P521())
	write(t, dir, "jwt.pem", text+"\n")
	write(t, dir, "token", "token-in-a-file \r\n\n")
	absolute := write(t, t.TempDir(), "token", " blanks in front stay")
	set, err := build(t, dir, `
endpoints:
  - provider: every
    merchant: acme
    mode: test
    expect_accounts: [A, B]
    auth:
      - url_token: {secret: {file: token}}
      - {id: next, url_token: {secret: {file: `+absolute+`}}}
      - aes_gcm: {key: {env: KEY}}
      - jwt: {algorithm: ES512, public_key: {file: jwt.pem}, max_skew: 60s}
      - jwt: {algorithm: ES512, public_key: {file: jwt.pem}}
      - oauth2: {client_id: them, client_secret: {env: SECRET}, token_ttl: 30s}
      - header: {name: X-Webhook-Key, secret: {env: SECRET}}
      - source_ip: {cidrs: ["203.0.113.7/24", "2001:db8::/32"]}
`, env(map[string]string{"KEY": strings.Repeat("00 ff\t", 16), "SECRET": "12345678"}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Find("every", "acme")
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Keys{
		URLTokens: []provider.SecretKey{{ID: "url_token-1", Value: "token-in-a-file"}, {ID: "next", Value: " blanks in front stay"}},
		AESGCM:    []provider.SecretKey{{ID: "aes_gcm-1", Value: provider.Secret(strings.Repeat("\x00\xff", 16))}},
		JWT: []provider.JWTKey{
			{ID: "jwt-1", Algorithm: "ES512", Public: public, MaxSkew: time.Minute},
			{ID: "jwt-2", Algorithm: "ES512", Public: public, MaxSkew: 5 * time.Minute},
		},
		OAuth2:   []provider.OAuth2Client{{SecretKey: provider.SecretKey{ID: "oauth2-1", Value: "12345678"}, ClientID: "them", TokenTTL: 30 * time.Second}},
		Headers:  []provider.HeaderKey{{SecretKey: provider.SecretKey{ID: "header-1", Value: "12345678"}, Name: "x-webhook-key"}},
		SourceIP: []provider.SourceIP{{ID: "source_ip-1", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}}},
	}
	same := cmp.Options{
		cmp.Comparer(func(a, b provider.Secret) bool { return a == b }),
		cmp.Comparer(func(a, b *ecdsa.PublicKey) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	}
	if diff := cmp.Diff(want, got.Keys, same); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if got.Mode != eventv1.Mode_MODE_TEST || got.Adapter.Describe().ID != "every" || got.Acknowledgement.Body != `{"status":"OK"}` {
		t.Errorf("got mode %s, adapter %s, acknowledgement %v", got.Mode, got.Adapter.Describe().ID, got.Acknowledgement)
	}
	if diff := cmp.Diff([]string{"A", "B"}, got.ExpectAccounts); diff != "" {
		t.Errorf("expect_accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"authorization", "cookie", "proxy-authorization", "x-webhook-key"}, got.Redact); diff != "" {
		t.Errorf("redact (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]provider.Secret{" blanks in front stay", "token-in-a-file", "12345678"}, got.Secrets, same); diff != "" {
		t.Errorf("secrets differ: %d, want the two tokens and the one that client and header share (-want +got):\n%s", len(got.Secrets), diff)
	}
}

func TestEndpointWithoutAuthenticationAcceptsEverything(t *testing.T) {
	set, err := build(t, "", "endpoints: [{provider: plain, merchant: open, mode: live, auth: [{none: {i_accept_forged_webhooks: true}}]}]", noEnv)
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Find("plain", "open")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(provider.Keys{None: true}, got.Keys); diff != "" || got.Mode != eventv1.Mode_MODE_LIVE {
		t.Errorf("mode %s, keys (-want +got):\n%s", got.Mode, diff)
	}
}

func TestOnlyTheConfiguredPairIsFound(t *testing.T) {
	set, err := build(t, "", "endpoints: [{provider: plain, merchant: acme, mode: live, auth: [{none: {i_accept_forged_webhooks: true}}]}]", noEnv)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"plain", "other"}, {"every", "acme"}, {"", ""}, {"acme", "plain"}, {"plain/acme", ""}} {
		if e, err := set.Find(pair[0], pair[1]); e != nil || !errors.Is(err, endpoint.ErrNotFound) {
			t.Errorf("%q: got %v, %v, want ErrNotFound", pair, e, err)
		}
	}
}

func TestFindingAllocatesNothing(t *testing.T) {
	set, err := build(t, "", "endpoints: [{provider: plain, merchant: acme, mode: live, auth: [{none: {i_accept_forged_webhooks: true}}]}]", noEnv)
	if err != nil {
		t.Fatal(err)
	}
	registry := endpoint.NewRegistry(set)
	providerID, merchant := "plain", "acme"
	if n := testing.AllocsPerRun(100, func() {
		if _, err := registry.Find(providerID, merchant); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
