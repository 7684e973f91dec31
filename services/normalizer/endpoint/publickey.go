package endpoint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// authorities reads the certificates of who signs client certificates.
func (r *keyReader) authorities(ref *configv1.Secret) (*x509.CertPool, error) {
	text, err := r.secrets.Read(ref)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("holds no certificate in PEM form")
	}
	return pool, nil
}

// publicKey reads a PEM public key and checks that it fits the algorithm.
// RFC 7518, section 3.4: each ES algorithm has one curve.
func (r *keyReader) publicKey(j *configv1.Jwt) (*ecdsa.PublicKey, error) {
	curve, ok := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[j.GetAlgorithm()]
	if !ok {
		return nil, fmt.Errorf("no keys for algorithm %q; want ES256, ES384 or ES512", j.GetAlgorithm())
	}
	text, err := r.secrets.Read(j.GetPublicKey())
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("not a PEM file")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("a private key; want the provider's public key")
	case strings.TrimSpace(string(rest)) != "":
		return nil, errors.New("more than one PEM block; want one public key")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("not a public key: PEM block %q", block.Type)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of another kind than %s needs", j.GetAlgorithm())
	}
	if key.Curve != curve {
		return nil, fmt.Errorf("a key on %s; %s needs %s", key.Curve.Params().Name, j.GetAlgorithm(), curve.Params().Name)
	}
	return key, nil
}
