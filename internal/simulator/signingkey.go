package simulator

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// ParseSigningKey reads a private key in PEM (PKCS #8, or SEC 1 as openssl
// writes it). Errors do not show the key.
func ParseSigningKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("no private key in PEM")
}
