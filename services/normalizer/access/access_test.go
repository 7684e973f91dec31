package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

var now = time.Unix(1_800_000_000, 0)

// files are key files by name.
type files map[string]string

func (f files) Read(ref *configv1.Secret) (string, error) { return f[ref.GetFile()], nil }
func (f files) ReadFile(name string) ([]byte, error)      { return []byte(f[name]), nil }

func sum(token string) string {
	s := sha256.Sum256([]byte(token))
	return hex.EncodeToString(s[:])
}

func policy(t *testing.T, cfg *configv1.Access, f files) *access.Policy {
	t.Helper()
	p, err := access.NewPolicy(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestATokenIsGoodForItsMerchantsProvidersAndScopes(t *testing.T) {
	p := policy(t, &configv1.Access{Tokens: []*configv1.AccessToken{
		{Id: "other", Sha256: sum("other"), Merchants: []string{"*"}, Providers: []string{"*"}, Scopes: []string{"ingest"}},
		{Id: "shop", Sha256: sum("s3cret"), Merchants: []string{"acme", "acme-mx"}, Providers: []string{"clip"}, Scopes: []string{"events", "reprocess"}},
	}}, nil)
	c, err := p.Authenticate("bearer  s3cret ", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		provider, merchant string
		sees               bool
	}{{"clip", "acme", true}, {"clip", "acme-mx", true}, {"clip", "rival", false}, {"qitech", "acme", false}, {"", "", false}, {"*", "acme", false}, {"clip", "*", false}} {
		if got := c.Sees(tt.provider, tt.merchant); got != tt.sees {
			t.Errorf("sees %s of %s: %t", tt.provider, tt.merchant, got)
		}
	}
	for scope, want := range map[access.Scope]bool{access.Events: true, access.Reprocess: true, access.Deliveries: false, access.Ingest: false, "": false} {
		if c.Allows(scope) != want {
			t.Errorf("scope %q: %t, want %t", scope, !want, want)
		}
	}
	want := filter.Conditions{
		{Field: filter.Provider, Op: filter.OneOf, Type: filter.Text, Texts: []string{"clip"}},
		{Field: filter.Merchant, Op: filter.OneOf, Type: filter.Text, Texts: []string{"acme", "acme-mx"}},
	}
	if diff := cmp.Diff(want, c.Narrow(nil)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if c.ID != "token shop" {
		t.Errorf("got ID %q", c.ID)
	}
}

func TestWhatIsNoTokenIsRefusedWithoutShowingIt(t *testing.T) {
	p := policy(t, &configv1.Access{Tokens: []*configv1.AccessToken{{Id: "a", Sha256: sum("s3cret"), Merchants: []string{"*"}}}}, nil)
	for _, authorization := range []string{"", "s3cret", "Bearer", "Bearer ", "Bearer guess-hunter2", "Basic s3cret", "Bearer " + sum("s3cret"), "Bearer a.b.c", "Bearer " + strings.Repeat("hunter2", 9999)} {
		c, err := p.Authenticate(authorization, now)
		if !errors.Is(err, access.ErrUnauthenticated) || c.Sees("clip", "acme") || c.Allows(access.Events) {
			t.Errorf("%.20q: got %v, %v", authorization, c, err)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func TestNobodySeesNothing(t *testing.T) {
	c := access.From(t.Context())
	if c.Sees("clip", "acme") || c.Allows(access.Events) || len(c.Narrow(nil)) != 2 {
		t.Errorf("a call without a caller sees %v", c)
	}
	if _, err := (&access.Gate{Now: time.Now}).Authenticate(""); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("a gate without a policy: %v", err)
	}
	open := policy(t, &configv1.Access{}, nil)
	c, err := open.Authenticate("", now)
	if err != nil || !open.Open() || !c.Sees("clip", "acme") || len(c.Narrow(nil)) != 0 {
		t.Errorf("without tokens: %v, %v", c, err)
	}
}

func public(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func sign(t *testing.T, m jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(m, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// with is good claims, changed.
func with(change jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{
		"iss": "https://login.example", "aud": "paynorm", "sub": "shop", "exp": now.Add(time.Minute).Unix(),
		"merchants": []string{"acme"}, "scope": "openid events deliveries",
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func TestAJWTIsTakenFromItsIssuerForUsAndInTime(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pemText := public(t, key)
	p := policy(t, &configv1.Access{Jwt: []*configv1.AccessJwt{{
		Issuer: "https://login.example", Audience: "paynorm", Keys: &configv1.AccessJwt_PublicKey{PublicKey: &configv1.Secret{Source: &configv1.Secret_File{File: "pem"}}},
		MerchantsClaim: "merchants", ProvidersClaim: "providers", ScopesClaim: "scope",
	}}}, files{"pem": pemText})
	for _, tt := range []struct {
		name string
		text string
		ok   bool
	}{
		{"good", sign(t, jwt.SigningMethodES256, key, "any", with(nil)), true},
		{"audience in a list", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"aud": []string{"x", "paynorm"}})), true},
		{"of another issuer", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"iss": "https://evil.example"})), false},
		{"for somebody else", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"aud": "other"})), false},
		{"for nobody", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"aud": nil})), false},
		{"run out", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"exp": now.Add(-time.Minute).Unix()})), false},
		{"without an end", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"exp": nil})), false},
		{"not good yet", sign(t, jwt.SigningMethodES256, key, "", with(jwt.MapClaims{"nbf": now.Add(time.Minute).Unix()})), false},
		{"signed by a stranger", sign(t, jwt.SigningMethodES256, stranger, "", with(nil)), false},
		{"signed with the public key as a secret", sign(t, jwt.SigningMethodHS256, []byte(pemText), "", with(nil)), false},
		{"not signed", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", with(nil)), false},
	} {
		c, err := p.Authenticate(tt.text, now)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && (!c.Sees("clip", "acme") || c.Sees("clip", "rival") || !c.Allows(access.Deliveries) || c.Allows(access.Reprocess)) {
			t.Errorf("%s: got %v", tt.name, c)
		}
	}
	for name, change := range map[string]jwt.MapClaims{
		"no merchants": {"merchants": nil}, "merchants of another type": {"merchants": 7}, "other providers": {"providers": "qitech"}, "no providers": {"providers": []string{}},
	} {
		c, err := p.Authenticate(sign(t, jwt.SigningMethodES256, key, "", with(change)), now)
		if err != nil || c.Sees("clip", "acme") {
			t.Errorf("%s: got %v, %v, want a caller that does not see clip of acme", name, c, err)
		}
	}
}

func TestAKeySetVerifiesByKindAndID(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ecKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []map[string]any{
		{"kty": "RSA", "kid": "r", "use": "sig", "n": b64(rsaKey.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "kid": "e", "crv": "P-521", "x": b64(point[1:67]), "y": b64(point[67:])},
		{"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": b64(edKey.Public().(ed25519.PublicKey))},
		{"kty": "RSA", "kid": "enc", "use": "enc", "n": "AA", "e": "AQAB"}, {"kty": "new"}, {"kty": "oct", "k": "AAAA"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	jwks := func(text string) (*access.Policy, error) {
		return access.NewPolicy(&configv1.Access{Jwt: []*configv1.AccessJwt{{
			Issuer: "https://login.example", Audience: "paynorm", Keys: &configv1.AccessJwt_JwksFile{JwksFile: "jwks"}, MerchantsClaim: "merchants", ScopesClaim: "scope",
		}}}, files{"jwks": text})
	}
	p, err := jwks(string(set))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		method jwt.SigningMethod
		key    any
		kid    string
		ok     bool
	}{
		{"RS256", jwt.SigningMethodRS256, rsaKey, "r", true}, {"PS256", jwt.SigningMethodPS256, rsaKey, "r", true}, {"ES512", jwt.SigningMethodES512, ecKey, "e", true},
		{"EdDSA", jwt.SigningMethodEdDSA, edKey, "o", true}, {"without an ID", jwt.SigningMethodEdDSA, edKey, "", true},
		{"with another's ID", jwt.SigningMethodEdDSA, edKey, "r", false}, {"with an unknown ID", jwt.SigningMethodRS256, rsaKey, "x", false},
	} {
		if _, err := p.Authenticate(sign(t, tt.method, tt.key, tt.kid, with(nil)), now); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for text, want := range map[string]string{
		"[]": "not a JSON Web Key Set", `{"keys":[]}`: "holds no public key", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`: "not an Ed25519 key",
		`{"keys":[{"kty":"RSA","n":"` + b64(rsaKey.N.Bytes()[:128]) + `","e":"AQAB"}]}`: "1024", `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`: "not a key on P-256",
		`{"keys":[{"kty":"OKP","crv":"Ed25519","d":"AA"}]}`: "private key",
	} {
		if _, err := jwks(text); err == nil || !strings.Contains(err.Error(), "access.jwt[0].jwks_file") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q", text, err, want)
		}
	}
}
