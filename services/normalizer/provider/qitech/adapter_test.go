package qitech_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5" // The provider's claim payload_md5.
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
	"github.com/paynorm/paynorm/services/normalizer/provider/qitech"
)

const maxSkew = 5 * time.Minute

// privateKey is a test key on curve, always the same for the same n.
func privateKey(t testing.TB, curve elliptic.Curve, n int) *ecdsa.PrivateKey {
	t.Helper()
	scalar := make([]byte, (curve.Params().BitSize+7)/8)
	scalar[len(scalar)-1] = byte(n + 2)
	key, err := ecdsa.ParseRawPrivateKey(curve, scalar)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rotation is two live keys for tokens signed with method on curve.
func rotation(t testing.TB, method *jwt.SigningMethodECDSA, curve elliptic.Curve) provider.Keys {
	t.Helper()
	var keys provider.Keys
	for n := range 2 {
		keys.JWT = append(keys.JWT, provider.JWTKey{
			ID:        fmt.Sprintf("key-%d", n),
			Algorithm: method.Alg(),
			Public:    &privateKey(t, curve, n).PublicKey,
			MaxSkew:   maxSkew,
		})
	}
	return keys
}

// liveKeys are for the algorithm that the provider documents.
func liveKeys(t testing.TB) provider.Keys {
	return rotation(t, jwt.SigningMethodES512, elliptic.P521())
}

// claimsFor are the claims of a genuine token for d.
func claimsFor(d provider.Delivery) jwt.MapClaims {
	sum := md5.Sum(d.Body)
	return jwt.MapClaims{
		"payload_md5": hex.EncodeToString(sum[:]),
		"timestamp":   d.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000000Z"),
		"method":      d.Method,
		"uri":         d.Path,
	}
}

// authorize adds the token that signs d, with the key n on curve.
func authorize(t testing.TB, d *provider.Delivery, method *jwt.SigningMethodECDSA, curve elliptic.Curve, n int) {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claimsFor(*d)).SignedString(privateKey(t, curve, n))
	if err != nil {
		t.Fatal(err)
	}
	d.Headers = append(d.Headers, provider.Header{Name: "authorization", Value: token})
}

// suite signs with ES256: it checks thousands of tokens, and P-521 has no fast
// code in Go. The tests below sign with ES512, as the provider does.
func suite(t testing.TB) providertest.Suite {
	return providertest.Suite{
		Adapter: qitech.New(),
		Keys:    rotation(t, jwt.SigningMethodES256, elliptic.P256()),
		Sign: func(t testing.TB, d *provider.Delivery, plaintext []byte, key int) {
			t.Helper()
			d.Body = plaintext
			authorize(t, d, jwt.SigningMethodES256, elliptic.P256(), key)
		},
		SignedHeaders: []string{"authorization"},
		SignsBody:     true,
		SignsTime:     true,
	}
}

func TestConformance(t *testing.T) { providertest.Run(t, suite(t)) }

const body = `{"webhook_type":"baas.invoice.invoice_payment_status_change","data":{}}`

func request() provider.Delivery {
	return provider.Delivery{
		Provider: qitech.ID, Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE,
		Method: "POST", Path: "/webhooks/qitech/acme", RawQuery: "x=1",
		Body: []byte(body), ReceivedAt: time.Date(2024, 8, 13, 21, 35, 56, 0, time.UTC),
	}
}

// TestTokenMustBeAboutTheRequest changes one thing at a time on a genuine token.
func TestTokenMustBeAboutTheRequest(t *testing.T) {
	set := func(name string, value any) func(*jwt.Token, *provider.Delivery) {
		return func(token *jwt.Token, _ *provider.Delivery) { token.Claims.(jwt.MapClaims)[name] = value }
	}
	shifted := func(by time.Duration) func(*jwt.Token, *provider.Delivery) {
		return set("timestamp", request().ReceivedAt.Add(by).Format(time.RFC3339Nano))
	}
	tests := []struct {
		name   string
		change func(*jwt.Token, *provider.Delivery)
		want   error
	}{
		{"untouched", func(*jwt.Token, *provider.Delivery) {}, nil},
		{"md5 in upper case", set("payload_md5", strings.ToUpper(claimsFor(request())["payload_md5"].(string))), nil},
		{"uri with the query as requested", set("uri", "/webhooks/qitech/acme?x=1"), nil},
		{"at the edge of max_skew before", shifted(-maxSkew), nil},
		{"at the edge of max_skew after", shifted(maxSkew), nil},
		{"time with an offset", set("timestamp", "2024-08-13T18:35:56-03:00"), nil},
		{"run out by the library's claims", set("exp", 1), nil},
		{"header names a key of its own", func(token *jwt.Token, _ *provider.Delivery) { token.Header["kid"] = "key-1" }, nil},
		{"too old", shifted(-maxSkew - time.Millisecond), provider.ErrNotAuthentic},
		{"too far ahead", shifted(maxSkew + time.Millisecond), provider.ErrNotAuthentic},
		{"time without a zone", set("timestamp", "2024-08-13 21:35:56"), provider.ErrNotAuthentic},
		{"time as a number", set("timestamp", 1723584956), provider.ErrNotAuthentic},
		{"far past", set("timestamp", "0001-01-01T00:00:00Z"), provider.ErrNotAuthentic},
		{"another body", set("payload_md5", "d41d8cd98f00b204e9800998ecf8427e"), provider.ErrNotAuthentic},
		{"md5 cut", set("payload_md5", ""), provider.ErrNotAuthentic},
		{"another method", set("method", "PUT"), provider.ErrNotAuthentic},
		{"another merchant's path", set("uri", "/webhooks/qitech/other"), provider.ErrNotAuthentic},
		{"another query", set("uri", "/webhooks/qitech/acme?x=2"), provider.ErrNotAuthentic},
		{"query sign without a query", func(token *jwt.Token, d *provider.Delivery) {
			d.RawQuery = ""
			token.Claims.(jwt.MapClaims)["uri"] = d.Path + "?"
		}, provider.ErrNotAuthentic},
		{"no path at all", func(token *jwt.Token, d *provider.Delivery) {
			d.Path, token.Claims.(jwt.MapClaims)["uri"] = "", ""
		}, provider.ErrNotAuthentic},
		{"claim missing", func(token *jwt.Token, _ *provider.Delivery) { delete(token.Claims.(jwt.MapClaims), "method") }, provider.ErrNotAuthentic},
		{"critical extension", func(token *jwt.Token, _ *provider.Delivery) { token.Header["crit"] = []string{"b64"} }, provider.ErrNotAuthentic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := request()
			token := jwt.NewWithClaims(jwt.SigningMethodES512, claimsFor(d))
			tt.change(token, &d)
			text, err := token.SignedString(privateKey(t, elliptic.P521(), 0))
			if err != nil {
				t.Fatal(err)
			}
			d.Headers = []provider.Header{{Name: "authorization", Value: text}}
			_, err = qitech.New().Verify(d, liveKeys(t))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestBearerPrefixIsAccepted(t *testing.T) {
	for _, prefix := range []string{"Bearer ", "bearer "} {
		d := request()
		authorize(t, &d, jwt.SigningMethodES512, elliptic.P521(), 1)
		d.Headers[0].Value = prefix + d.Headers[0].Value
		v, err := qitech.New().Verify(d, liveKeys(t))
		if err != nil || v.KeyID != "key-1" || v.Scheme != "jwt" || v.Coverage != eventv1.Coverage_COVERAGE_REQUEST {
			t.Errorf("%q: got %+v, %v", prefix, v, err)
		}
	}
}

func TestOnlyTheKeysAlgorithmIsAccepted(t *testing.T) {
	secret, err := jwt.NewWithClaims(jwt.SigningMethodHS512, claimsFor(request())).SignedString([]byte("key-0"))
	if err != nil {
		t.Fatal(err)
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claimsFor(request())).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	genuine := request()
	authorize(t, &genuine, jwt.SigningMethodES512, elliptic.P521(), 0)
	parts := strings.Split(genuine.Headers[0].Value, ".")
	otherCase := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"es512"}`)) + "." + parts[1] + "." + parts[2]
	for name, token := range map[string]string{
		"HS512": secret, "none": none, "another case": otherCase,
		"no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1],
		"encrypted form": genuine.Headers[0].Value + ".e.f", "padded": genuine.Headers[0].Value + "=",
		"line end": genuine.Headers[0].Value + "\n", "empty": "", "blank": " ", "dots": "..",
		"another scheme": "Basic eDp5", "claims are a list": parts[0] + ".W10." + parts[2],
	} {
		d := request()
		d.Headers = []provider.Header{{Name: "authorization", Value: token}}
		if _, err := qitech.New().Verify(d, liveKeys(t)); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%s: got %v, want ErrNotAuthentic", name, err)
		}
	}
}

// TestKeyAndCurveMustFit covers all three algorithms, each with its own curve and with another one.
func TestKeyAndCurveMustFit(t *testing.T) {
	methods := []*jwt.SigningMethodECDSA{jwt.SigningMethodES256, jwt.SigningMethodES384, jwt.SigningMethodES512}
	curves := []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}
	for i, method := range methods {
		d := request()
		token, err := jwt.NewWithClaims(method, claimsFor(d)).SignedString(privateKey(t, curves[i], 0))
		if err != nil {
			t.Fatal(err)
		}
		d.Headers = []provider.Header{{Name: "authorization", Value: token}}
		for j, curve := range curves {
			key := provider.JWTKey{ID: "k", Algorithm: method.Alg(), Public: &privateKey(t, curve, 0).PublicKey, MaxSkew: maxSkew}
			_, err := qitech.New().Verify(d, provider.Keys{JWT: []provider.JWTKey{key}})
			if (err == nil) != (i == j) {
				t.Errorf("%s with a key on %s: %v", method.Alg(), curve.Params().Name, err)
			}
		}
	}
	d := request()
	authorize(t, &d, jwt.SigningMethodES512, elliptic.P521(), 0)
	for name, public := range map[string]any{"none": nil, "a secret": []byte("key"), "a nil key": (*ecdsa.PublicKey)(nil), "an empty key": &ecdsa.PublicKey{}} {
		key := provider.JWTKey{ID: "k", Algorithm: "ES512", Public: public, MaxSkew: maxSkew}
		if _, err := qitech.New().Verify(d, provider.Keys{JWT: []provider.JWTKey{key}}); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%s: got %v, want ErrNotAuthentic", name, err)
		}
	}
}

func TestResendWithAnotherTimeIsTheSameFact(t *testing.T) {
	notice := func(at, paid string) []string {
		body := `{"webhook_type":"baas.invoice.invoice_payment_status_change","webhook_datetime":"` + at + `","data":{` +
			`"invoice_payment_key":"k","total_amount":350.0,"paid_amount":` + paid + `,"invoice_payment_type":"payroll_discount","invoice_payment_status":"processing_payment"}}`
		return qitech.New().Normalize(request(), []byte(body)).Items[0].Fact.Key
	}
	first := strings.Join(notice("2024-08-13T22:01:02Z", "100.5"), "|")
	if again := strings.Join(notice("2024-08-20T08:00:00Z", "100.50"), "|"); again != first {
		t.Errorf("got key %s, want %s", again, first)
	}
	if second := strings.Join(notice("2024-08-13T22:01:02Z", "200"), "|"); second == first {
		t.Errorf("a second partial payment has the same key %s", second)
	}
}
