package simulator_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/elliptic"
	"crypto/md5" //nolint:gosec // QI Tech's claim payload_md5.
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/internal/simulator"
)

func decrypt(t *testing.T, header http.Header, body []byte) []byte {
	t.Helper()
	fromHex := func(text string) []byte {
		if strings.ToUpper(text) != text {
			t.Errorf("%s: want hex in upper case", text)
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	block, err := aes.NewCipher(fromHex(strings.ToUpper(strings.ReplaceAll(aesKey, " ", ""))))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	iv := fromHex(header.Get("X-Initialization-Vector"))
	tag := fromHex(header.Get("X-Authentication-Tag"))
	if len(iv) != 12 || len(tag) != 16 {
		t.Fatalf("IV of %d bytes, tag of %d, want 12 and 16", len(iv), len(tag))
	}
	text, err := aead.Open(nil, iv, append(fromHex(string(body)), tag...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestURLTokenIsTheFirstOneAndEscaped(t *testing.T) {
	req, _ := request(t, newSimulator(t, options(t, "clip", nil)), "", simulator.IDs{})
	if req.URL.RawQuery != "token=s3cret+%26+more" {
		t.Error("the query is not the first token, escaped")
	}
}

func TestOpenEndpointIsSentNoCredentials(t *testing.T) {
	o := options(t, "clip", nil)
	o.Merchant = "open"
	req, _ := request(t, newSimulator(t, o), "", simulator.IDs{})
	if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}}, req.Header); diff != "" || req.URL.RawQuery != "" {
		t.Errorf("query %q, headers (-want +got):\n%s", req.URL.RawQuery, diff)
	}
}

func TestSecretHeaderIsSent(t *testing.T) {
	req, _ := request(t, newSimulator(t, options(t, "incode", nil)), "", simulator.IDs{})
	if req.Header.Get("X-Webhook-Key") != secret {
		t.Error("the header is not the configured secret")
	}
}

func TestCiphertextComesBareOrWrapped(t *testing.T) {
	o := options(t, "aci-opp", nil)
	req, body := request(t, newSimulator(t, o), "paid", simulator.IDs{Payment: "pay-1", Reference: "ref-1"})
	if got := req.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("bare: content type %s", got)
	}
	bare := decrypt(t, req.Header, body)

	o.JSONWrapper = true
	again, wrapped := request(t, newSimulator(t, o), "paid", simulator.IDs{Payment: "pay-1", Reference: "ref-1"})
	if again.Header.Get("Content-Type") != "application/json; charset=UTF-8" || again.Header.Get("Content-Encoding") != "UTF-8" {
		t.Errorf("wrapped: headers %v", again.Header)
	}
	var envelope struct {
		EncryptedBody string `json:"encryptedBody"`
	}
	if err := json.Unmarshal(wrapped, &envelope); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bare), string(decrypt(t, again.Header, []byte(envelope.EncryptedBody)))); diff != "" {
		t.Errorf("the two forms say different things (-bare +wrapped):\n%s", diff)
	}
	if req.Header.Get("X-Initialization-Vector") == again.Header.Get("X-Initialization-Vector") {
		t.Error("two deliveries share an IV")
	}
}

func TestTokenSignsBodyMethodPathAndTime(t *testing.T) {
	key := newKey(t, elliptic.P521())
	o := options(t, "qitech", key)
	o.BaseURL = "http://h/base"
	req, body := request(t, newSimulator(t, o), "", simulator.IDs{})
	token, err := jwt.NewParser(jwt.WithValidMethods([]string{"ES512"})).Parse(req.Header.Get("Authorization"), func(*jwt.Token) (any, error) { return key.Public(), nil })
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(body) //nolint:gosec // See the import.
	want := jwt.MapClaims{
		"payload_md5": hex.EncodeToString(sum[:]), "method": "POST", "uri": "/base/webhooks/qitech/acme", "timestamp": "2030-01-02T03:04:05.678901Z",
	}
	if diff := cmp.Diff(want, token.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if id := req.Header.Get("API-CLIENT-KEY"); !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("API-CLIENT-KEY %q is no UUID", id)
	}
}

func TestSigningKeyIsReadFromBothForms(t *testing.T) {
	key := newKey(t, elliptic.P521())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 5, 43, 129, 4, 0, 35}})
	for name, text := range map[string][]byte{
		"PKCS #8":                    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"SEC 1 as openssl writes it": append(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...),
	} {
		if got, err := simulator.ParseSigningKey(text); err != nil || !key.Equal(got) {
			t.Errorf("%s: not the same key: %v", name, err)
		}
	}
	for _, text := range []string{"", "no PEM", string(parameters)} {
		if _, err := simulator.ParseSigningKey([]byte(text)); err == nil || err.Error() != "no private key in PEM" {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
