package mix

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

// merchant is whose endpoints they are.
const merchant = "acme"

const signingKeyFile = "qitech-signing-key.pem"

// Endpoints returns one endpoint for each provider, as a configuration has
// them, with new secrets that it writes to dir.
func Endpoints(dir string) ([]map[string]any, error) {
	w := writer{dir: dir}
	endpoint := func(provider string, auth map[string]any) map[string]any {
		return map[string]any{"provider": provider, "merchant": merchant, "mode": "live", "auth": []any{auth}}
	}
	endpoints := []map[string]any{
		endpoint("clip", map[string]any{"url_token": map[string]any{"secret": w.random("clip-token", 16)}}),
		endpoint("aci-opp", map[string]any{"aes_gcm": map[string]any{"key": w.random("aci-opp-key", 32)}}),
		endpoint("qitech", map[string]any{"jwt": map[string]any{"algorithm": "ES512", "public_key": w.keyPair("qitech.pem"), "max_skew": "300s"}}),
		endpoint("incode", map[string]any{"header": map[string]any{"name": "X-Webhook-Key", "secret": w.random("incode-key", 16)}}),
		endpoint("singleview", map[string]any{"url_token": map[string]any{"secret": w.random("singleview-token", 16)}}),
	}
	return endpoints, w.err
}

// writer makes secrets and keeps the first error.
type writer struct {
	dir string
	err error
}

func (w *writer) file(name string, content []byte) map[string]any {
	path := filepath.Join(w.dir, name)
	if w.err == nil {
		w.err = os.WriteFile(path, content, 0o600)
	}
	return map[string]any{"file": path}
}

// random writes a secret of n random bytes, in hexadecimal.
func (w *writer) random(name string, n int) map[string]any {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return w.file(name, []byte(hex.EncodeToString(b)))
}

// keyPair writes a public key, and beside it the private key to sign with.
func (w *writer) keyPair(name string) map[string]any {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		w.err = err
		return nil
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		w.file(signingKeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
		var public []byte
		if public, err = x509.MarshalPKIXPublicKey(key.Public()); err == nil {
			return w.file(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		}
	}
	w.err = err
	return nil
}
