package e2e

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"maps"
	"strings"
	"testing"
	"time"
)

// signature says how to make the JWT of a request, also in ways that must be refused.
type signature struct {
	Header        string
	Alg           string
	Key           string
	OffsetSeconds int                `json:"timestamp_offset_seconds"`
	Claims        map[string]*string // replaces, or by null removes
	MD5Of         *string            `json:"md5_of"`
	Prefix        string
	Sig           string
	Jose          map[string]any
}

// token returns the value of the header. The key's text comes from secrets.
func (s signature) token(t *testing.T, secrets map[string]string, method, path string, body []byte) string {
	t.Helper()
	if s.MD5Of != nil {
		body = []byte(*s.MD5Of)
	}
	sum := md5.Sum(body)
	claims := map[string]string{
		"payload_md5": hex.EncodeToString(sum[:]),
		"timestamp":   time.Now().UTC().Add(time.Duration(s.OffsetSeconds) * time.Second).Format("2006-01-02T15:04:05.000000Z"),
		"method":      method,
		"uri":         path,
	}
	for name, value := range s.Claims {
		if delete(claims, name); value != nil {
			claims[name] = *value
		}
	}
	header := map[string]any{"alg": s.Alg, "typ": "JWT"}
	for name, value := range s.Jose {
		if name == "jwk_of" {
			name, value = "jwk", publicJWK(t, secrets[fmt.Sprint(value)])
		}
		header[name] = value
	}
	signed := segment(t, header) + "." + segment(t, claims)
	return s.Prefix + signed + "." + base64.RawURLEncoding.EncodeToString(s.sign(t, secrets[s.Key], []byte(signed)))
}

func segment(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s signature) sign(t *testing.T, key string, signed []byte) []byte {
	t.Helper()
	hashes := map[string]func() hash.Hash{"256": sha256.New, "384": sha512.New384, "512": sha512.New}
	newHash := hashes[s.Alg[max(0, len(s.Alg)-3):]]
	switch {
	case s.Sig == "empty", strings.EqualFold(s.Alg, "none"):
		return nil
	case strings.HasPrefix(s.Alg, "HS"):
		mac := hmac.New(newHash, []byte(key))
		mac.Write(signed)
		return mac.Sum(nil)
	case newHash == nil:
		t.Fatalf("no way to sign with %q", s.Alg)
	}
	private := privateKey(t, key)
	h := newHash()
	h.Write(signed)
	if s.Sig == "der" {
		der, err := ecdsa.SignASN1(rand.Reader, private, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	r, v, err := ecdsa.Sign(rand.Reader, private, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	r.FillBytes(raw[:size])
	v.FillBytes(raw[size:])
	return raw
}

func privateKey(t *testing.T, text string) *ecdsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("the signing key is not PEM")
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*ecdsa.PrivateKey)
}

func publicJWK(t *testing.T, text string) map[string]string {
	t.Helper()
	key := privateKey(t, text)
	size := (key.Curve.Params().BitSize + 7) / 8
	jwk := map[string]string{"kty": "EC", "crv": key.Curve.Params().Name}
	point, err := key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(jwk, map[string]string{
		"x": base64.RawURLEncoding.EncodeToString(point[1 : 1+size]),
		"y": base64.RawURLEncoding.EncodeToString(point[1+size:]),
	})
	return jwk
}
