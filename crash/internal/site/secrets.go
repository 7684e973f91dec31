package site

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
)

// Merchant is the merchant of all endpoints.
const Merchant = "acme"

// NewKeys makes random keys.
func NewKeys() (Keys, error) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	return Keys{ACI: hex.EncodeToString(raw), QITech: key}, err
}

func writeSecrets(dir string, k Keys) error {
	der, err := x509.MarshalPKIXPublicKey(k.QITech.Public())
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"clip-token": "token-of-the-crash-tests", "singleview-token": "token-of-the-crash-tests",
		"incode-client-secret": "secret-of-the-crash-tests",
		"aci-opp-key":          k.ACI,
		"qitech.pem":           string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// endpoints has one for each provider, with its own way of authentication.
func endpoints() []map[string]any {
	file := func(name string) map[string]any { return map[string]any{"file": name} }
	return []map[string]any{
		endpoint("clip", "url_token", map[string]any{"secret": file("clip-token")}),
		endpoint("singleview", "url_token", map[string]any{"secret": file("singleview-token")}),
		endpoint("incode", "oauth2", map[string]any{"client_id": "incode", "client_secret": file("incode-client-secret")}),
		endpoint("aci-opp", "aes_gcm", map[string]any{"key": file("aci-opp-key")}),
		endpoint("qitech", "jwt", map[string]any{"algorithm": "ES512", "public_key": file("qitech.pem")}),
	}
}

func endpoint(provider, scheme string, settings map[string]any) map[string]any {
	return map[string]any{
		"provider": provider, "merchant": Merchant, "mode": "live",
		"auth": []any{map[string]any{scheme: settings}},
	}
}
