package endpoint_test

import (
	"crypto/elliptic"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
)

func TestWhatCannotAuthenticateIsAStartError(t *testing.T) {
	dir := t.TempDir()
	p256, _ := publicPEM(t, elliptic.P256())
	p521, _ := publicPEM(t, elliptic.P521())
	write(t, dir, "p256.pem", p256)
	write(t, dir, "two.pem", p521+p521)
	write(t, dir, "private.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	write(t, dir, "certificate.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	write(t, dir, "blank", " \n\t\n")
	write(t, dir, "large", strings.Repeat("a", 64<<10+1))
	// MCowBQYDK2VwAyEA and 32 bytes: an Ed25519 key, which is none for ECDSA.
	write(t, dir, "ed25519.pem", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n-----END PUBLIC KEY-----\n")
	getenv := env(map[string]string{"GOOD": "hunter2-hunter2", "SHORT": "hunter2", "EMPTY": ""})

	for _, tt := range []struct {
		name string
		auth string
		want string // after the field of the endpoint
	}{
		{"variable that is not set", `url_token: {secret: {env: NONE}}`, `.auth[0].url_token.secret (every/acme): environment variable NONE is not set`},
		{"variable that is empty", `url_token: {secret: {env: EMPTY}}`, `.auth[0].url_token.secret (every/acme): environment variable EMPTY is empty`},
		{"file that is not there", `url_token: {secret: {file: none}}`, `.auth[0].url_token.secret (every/acme): open DIR/none: no such file or directory`},
		{"file of blanks", `url_token: {secret: {file: blank}}`, `.auth[0].url_token.secret (every/acme): DIR/blank is empty`},
		{"file that is no secret", `url_token: {secret: {file: large}}`, `.auth[0].url_token.secret (every/acme): DIR/large is larger than 65536 bytes`},
		{"short URL token", `url_token: {secret: {env: SHORT}}`, `.auth[0].url_token.secret (every/acme): the secret is too short to resist guessing; want at least 8 bytes`},
		{"short header secret", `header: {name: X, secret: {env: SHORT}}`, `.auth[0].header.secret (every/acme): the secret is too short to resist guessing; want at least 8 bytes`},
		{"short client secret", `oauth2: {client_id: c, client_secret: {env: SHORT}}`, `.auth[0].oauth2.client_secret (every/acme): the secret is too short to resist guessing; want at least 8 bytes`},
		{"AES key that is not there", `aes_gcm: {key: {env: NONE}}`, `.auth[0].aes_gcm.key (every/acme): environment variable NONE is not set`},
		{"AES key that is not hex", `aes_gcm: {key: {env: GOOD}}`, `.auth[0].aes_gcm.key (every/acme): the key is not 64 hex digits`},
		{"no PEM", `jwt: {algorithm: ES512, public_key: {env: GOOD}}`, `.auth[0].jwt.public_key (every/acme): not a PEM file`},
		{"public key that is not there", `jwt: {algorithm: ES512, public_key: {env: NONE}}`, `.auth[0].jwt.public_key (every/acme): environment variable NONE is not set`},
		{"private key", `jwt: {algorithm: ES512, public_key: {file: private.pem}}`, `.auth[0].jwt.public_key (every/acme): a private key; want the provider's public key`},
		{"certificate", `jwt: {algorithm: ES512, public_key: {file: certificate.pem}}`, `.auth[0].jwt.public_key (every/acme): not a public key: PEM block "CERTIFICATE"`},
		{"two public keys", `jwt: {algorithm: ES512, public_key: {file: two.pem}}`, `.auth[0].jwt.public_key (every/acme): more than one PEM block; want one public key`},
		{"curve of another algorithm", `jwt: {algorithm: ES512, public_key: {file: p256.pem}}`, `.auth[0].jwt.public_key (every/acme): a key on P-256; ES512 needs P-521`},
		{"key of another kind", `jwt: {algorithm: ES256, public_key: {file: ed25519.pem}}`, `.auth[0].jwt.public_key (every/acme): a key of another kind than ES256 needs`},
		{"id that is taken", "{id: header-1, url_token: {secret: {env: GOOD}}}\n      - header: {name: X, secret: {env: GOOD}}", `.auth[1].id (every/acme): "header-1" is taken by another entry`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := build(t, dir, "endpoints:\n  - provider: every\n    merchant: acme\n    mode: live\n    auth:\n      - "+tt.auth+"\n", getenv)
			var got *endpoint.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want *endpoint.Error", err)
			}
			want := "endpoints[0]" + strings.ReplaceAll(tt.want, "DIR", dir)
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error shows the secret")
			}
		})
	}
}

func TestKeyOfAnotherLengthIsRefused(t *testing.T) {
	for _, key := range []string{strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("0", 62), strings.Repeat("0", 66), strings.Repeat("0", 63) + "g", strings.Repeat("é", 32)} {
		_, err := build(t, "", "endpoints: [{provider: every, merchant: a, mode: live, auth: [{aes_gcm: {key: {env: KEY}}}]}]", env(map[string]string{"KEY": key}))
		if want := "endpoints[0].auth[0].aes_gcm.key (every/a): the key is not 64 hex digits"; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", key, err, want)
		}
	}
}

func TestProviderDecidesWhichSchemesItsEndpointsHave(t *testing.T) {
	_, err := build(t, "", "endpoints:\n  - {provider: plain, merchant: a, mode: live, auth: [{header: {name: X, secret: {env: A}}}]}\n  - {provider: stripe, merchant: a, mode: live, auth: [{source_ip: {cidrs: [\"10.0.0.0/8\"]}}]}\n", noEnv)
	want := "endpoints[0].auth[0] (plain/a): the provider has no \"header\"; it has url_token, none\n" +
		"endpoints[1].provider (stripe/a): unknown provider; known are every, plain"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Build does not rely on its caller having checked the configuration.
func TestUncheckedConfigurationLeavesNoEndpointOpen(t *testing.T) {
	none := &configv1.Auth{Kind: &configv1.Auth_None{None: &configv1.None{}}}
	accepted := &configv1.Auth{Kind: &configv1.Auth_None{None: &configv1.None{IAcceptForgedWebhooks: true}}}
	ranges := func(cidrs ...string) *configv1.Auth {
		return &configv1.Auth{Kind: &configv1.Auth_SourceIp{SourceIp: &configv1.SourceIp{Cidrs: cidrs}}}
	}
	jwt := &configv1.Auth{Kind: &configv1.Auth_Jwt{Jwt: &configv1.Jwt{Algorithm: "HS256"}}}
	token := &configv1.Auth{Kind: &configv1.Auth_UrlToken{}}
	for _, tt := range []struct {
		name string
		mode string
		auth []*configv1.Auth
		want string
	}{
		{"no auth", "live", nil, "endpoints[0].auth (every/a): no auth: anybody could forge webhooks"},
		{"no kind", "live", []*configv1.Auth{{}}, `endpoints[0].auth[0] (every/a): the provider has no ""; it has url_token, aes_gcm, jwt, oauth2, header, source_ip, none`},
		{"none that is not accepted", "live", []*configv1.Auth{none}, "endpoints[0].auth[0].none.i_accept_forged_webhooks (every/a): want true"},
		{"none beside others", "live", []*configv1.Auth{ranges("10.0.0.0/8"), accepted}, "endpoints[0].auth[1] (every/a): none stands alone"},
		{"no ranges", "live", []*configv1.Auth{ranges()}, "endpoints[0].auth[0].source_ip.cidrs (every/a): want at least one range"},
		{"range that is none", "live", []*configv1.Auth{ranges("10.0.0.0/8", "x")}, `endpoints[0].auth[0].source_ip.cidrs[1] (every/a): want a range such as "203.0.113.0/24", or "203.0.113.7/32" for one address`},
		{"algorithm without public keys", "live", []*configv1.Auth{jwt}, `endpoints[0].auth[0].jwt.public_key (every/a): no keys for algorithm "HS256"; want ES256, ES384 or ES512`},
		{"no secret", "live", []*configv1.Auth{token}, "endpoints[0].auth[0].url_token.secret (every/a): no secret is given"},
		{"no mode", "", []*configv1.Auth{accepted}, "endpoints[0].mode (every/a): want live or test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := &configv1.Config{Endpoints: []*configv1.Endpoint{{Provider: "every", Merchant: "a", Mode: tt.mode, Auth: tt.auth}}}
			set, err := endpoint.Build(cfg, "", adapters(), noEnv)
			if set != nil || err == nil || err.Error() != tt.want {
				t.Errorf("got %v, %v, want %s", set, err, tt.want)
			}
		})
	}

	same := &configv1.Endpoint{Provider: "every", Merchant: "a", Mode: "live", Auth: []*configv1.Auth{accepted}}
	_, err := endpoint.Build(&configv1.Config{Endpoints: []*configv1.Endpoint{same, same}}, "", adapters(), noEnv)
	if want := "endpoints[1] (every/a): configured twice"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadNamesFileLineAndColumn(t *testing.T) {
	path := write(t, t.TempDir(), "paynorm.yaml", `
endpoints:
  - provider: plain
    merchant: acme
    mode: live
    auth:
      - url_token: {secret: {env: NONE}}
      - url_token:
          secret: {file: none}
`)
	_, _, err := endpoint.Load(path, adapters(), noEnv)
	want := path + ":7:29: endpoints[0].auth[0].url_token.secret (plain/acme): environment variable NONE is not set\n" +
		path + ":9:19: endpoints[0].auth[1].url_token.secret (plain/acme): open " + filepath.Join(filepath.Dir(path), "none") + ": no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	if _, _, err := endpoint.Load(path+"x", adapters(), noEnv); err == nil {
		t.Error("a file that is not there loads")
	}
	write(t, filepath.Dir(path), "none", "12345678")
	cfg, set, err := endpoint.Load(path, adapters(), env(map[string]string{"NONE": "12345678"}))
	if err != nil || set.Len() != 1 || cfg.GetHttp().GetAddress() == "" {
		t.Errorf("got %v, %v, %v, want a configuration with one endpoint", cfg, set, err)
	}
}
