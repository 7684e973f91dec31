package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// jwk is a JSON Web Key as far as public keys for signatures need it (RFC 7517,
// RFC 7518 section 6, RFC 8037).
type jwk struct {
	Type    string `json:"kty"`
	ID      string `json:"kid"`
	Use     string `json:"use"`
	Curve   string `json:"crv"`
	X       string `json:"x"`
	Y       string `json:"y"`
	N       string `json:"n"`
	E       string `json:"e"`
	Private string `json:"d"`
}

// parseKeySet reads a JSON Web Key Set. Keys for encryption and of kinds that
// are not known are passed over, as RFC 7517 asks; one key must be left.
func parseKeySet(data []byte) ([]publicKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, errors.New("not a JSON Web Key Set")
	}
	var keys []publicKey
	for n, k := range set.Keys {
		if k.Private != "" {
			return nil, fmt.Errorf("key %d is a private key; want public keys", n)
		}
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		public, known, err := k.public()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", n, err)
		}
		if !known {
			continue
		}
		key, err := newKey(k.ID, public)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", n, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no public key that verifies signatures")
	}
	return keys, nil
}

// public returns the key; known is false for kinds that are passed over.
func (k jwk) public() (key crypto.PublicKey, known bool, err error) {
	switch k.Type {
	case "RSA":
		n, e := number(k.N), number(k.E)
		if n == nil || e == nil || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return nil, true, errors.New("not an RSA key")
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, true, nil
	case "EC":
		curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Curve]
		if !ok {
			return nil, false, nil
		}
		key, err := point(curve, k.X, k.Y)
		return key, true, err
	case "OKP":
		if k.Curve != "Ed25519" {
			return nil, false, nil
		}
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, true, errors.New("not an Ed25519 key")
		}
		return ed25519.PublicKey(x), true, nil
	}
	return nil, false, nil
}

// point reads the coordinates of an elliptic key and checks that they are on the curve.
func point(curve elliptic.Curve, x, y string) (*ecdsa.PublicKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	a, errA := base64.RawURLEncoding.DecodeString(x)
	b, errB := base64.RawURLEncoding.DecodeString(y)
	if errA != nil || errB != nil || len(a) != size || len(b) != size {
		return nil, fmt.Errorf("not a key on %s", curve.Params().Name)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, a...), b...))
	if err != nil {
		return nil, fmt.Errorf("not a key on %s", curve.Params().Name)
	}
	return key, nil
}

func number(text string) *big.Int {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil
	}
	return new(big.Int).SetBytes(raw)
}

// parsePEM reads one public key.
func parsePEM(text string) (publicKey, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return publicKey{}, errors.New("not a PEM file")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return publicKey{}, errors.New("a private key; want the issuer's public key")
	case strings.TrimSpace(string(rest)) != "":
		return publicKey{}, errors.New("more than one PEM block; want one public key")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return publicKey{}, fmt.Errorf("not a public key: PEM block %q", block.Type)
	}
	return newKey("", public)
}
