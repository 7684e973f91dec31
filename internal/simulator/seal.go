package simulator

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/md5" //nolint:gosec // QI Tech's claim payload_md5.
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

// sealer authenticates requests as the auth entries of an endpoint ask for. Of
// several keys of one kind it uses the first.
type sealer struct {
	now    func() time.Time
	rand   io.Reader
	wrap   bool
	tokens *tokenSource

	urlToken     string
	headerName   string // in its canonical form
	headerSecret string
	aead         cipher.AEAD
	method       jwt.SigningMethod
	key          *ecdsa.PrivateKey
}

func (s *sealer) load(auth []*configv1.Auth, secrets config.Secrets, signer crypto.Signer) error {
	for i, a := range auth {
		if err := s.add(a, secrets, signer); err != nil {
			return fmt.Errorf("auth[%d]: %w", i, err)
		}
	}
	return nil
}

func (s *sealer) add(a *configv1.Auth, secrets config.Secrets, signer crypto.Signer) (err error) {
	switch {
	case a.GetUrlToken() != nil && s.urlToken == "":
		s.urlToken, err = secrets.Read(a.GetUrlToken().GetSecret())
	case a.GetHeader() != nil && s.headerName == "":
		s.headerName = http.CanonicalHeaderKey(a.GetHeader().GetName())
		s.headerSecret, err = secrets.Read(a.GetHeader().GetSecret())
	case a.GetOauth2() != nil && s.tokens.clientID == "":
		s.tokens.clientID = a.GetOauth2().GetClientId()
		s.tokens.secret, err = secrets.Read(a.GetOauth2().GetClientSecret())
	case a.GetAesGcm() != nil && s.aead == nil:
		s.aead, err = newAEAD(a.GetAesGcm(), secrets)
	case a.GetJwt() != nil && s.key == nil:
		s.method, s.key, err = signingKey(a.GetJwt().GetAlgorithm(), signer)
	}
	return err
}

func newAEAD(a *configv1.AesGcm, secrets config.Secrets) (cipher.AEAD, error) {
	text, err := secrets.Read(a.GetKey())
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(key) != 32 {
		return nil, errors.New("aes_gcm.key: want 64 hex digits")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func signingKey(algorithm string, signer crypto.Signer) (jwt.SigningMethod, *ecdsa.PrivateKey, error) {
	method, ok := jwt.GetSigningMethod(algorithm).(*jwt.SigningMethodECDSA)
	if !ok {
		return nil, nil, fmt.Errorf("jwt.algorithm: %q is none with a key pair of ECDSA", algorithm)
	}
	key, ok := signer.(*ecdsa.PrivateKey)
	if !ok || key == nil {
		return nil, nil, errors.New("jwt: to sign, the private key that belongs to public_key is needed")
	}
	if key.Params().BitSize != method.CurveBits {
		return nil, nil, fmt.Errorf("jwt: the private key is on %s, which is not the curve of %s", key.Params().Name, algorithm)
	}
	return method, key, nil
}

// apply adds the credentials to URL and headers, and returns the body as it goes over the wire.
func (s *sealer) apply(ctx context.Context, target *url.URL, header http.Header, body []byte) ([]byte, error) {
	if s.urlToken != "" {
		target.RawQuery = "token=" + url.QueryEscape(s.urlToken)
	}
	switch { // alternatives of each other
	case s.tokens.clientID != "":
		token, err := s.tokens.token(ctx)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", "Bearer "+token)
	case s.headerName != "":
		header.Set(s.headerName, s.headerSecret)
	}
	if s.aead != nil {
		sealed, err := s.encrypt(header, body)
		if err != nil {
			return nil, err
		}
		body = sealed
	}
	if s.key != nil {
		token, err := s.sign(target.EscapedPath(), body)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", token)
	}
	return body, nil
}

// encrypt seals a body as ACI does: hex in upper case, IV and tag in headers.
// Source: https://docs.oppwa.com/tutorials/webhooks/integration-guide
func (s *sealer) encrypt(header http.Header, body []byte) ([]byte, error) {
	iv := make([]byte, s.aead.NonceSize())
	if _, err := io.ReadFull(s.rand, iv); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	sealed := s.aead.Seal(nil, iv, body, nil)
	split := len(sealed) - s.aead.Overhead()
	header.Set("X-Initialization-Vector", strings.ToUpper(hex.EncodeToString(iv)))
	header.Set("X-Authentication-Tag", strings.ToUpper(hex.EncodeToString(sealed[split:])))
	text := strings.ToUpper(hex.EncodeToString(sealed[:split]))
	if s.wrap {
		header.Set("Content-Type", "application/json; charset=UTF-8")
		header.Set("Content-Encoding", "UTF-8") // no content coding, and yet seen in requests of this form
		return []byte(`{"encryptedBody":"` + text + `"}`), nil
	}
	header.Set("Content-Type", "text/plain")
	return []byte(text), nil
}

// sign makes QI Tech's token: the whole header value, without "Bearer".
// Source: https://docs.qitech.com.br/primeiros_passos/teste_de_autenticacao/webhook_v2
func (s *sealer) sign(path string, body []byte) (string, error) {
	sum := md5.Sum(body) //nolint:gosec // See the import.
	token := jwt.NewWithClaims(s.method, jwt.MapClaims{
		"payload_md5": hex.EncodeToString(sum[:]),
		"timestamp":   s.now().UTC().Format("2006-01-02T15:04:05.000000Z"),
		"method":      http.MethodPost,
		"uri":         path,
	})
	text, err := token.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return text, nil
}
