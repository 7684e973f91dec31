package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// leeway is how far the clocks of issuers may be from ours.
const leeway = 30 * time.Second

// minRSABits is the least size of an RSA key (RFC 7518, section 3.3).
const minRSABits = 2048

// issuer is an issuer of JWTs.
type issuer struct {
	config *configv1.AccessJwt
	keys   []publicKey
}

// publicKey verifies the algorithms that its kind is made for, and no other.
type publicKey struct {
	id         string // "kid"; empty: any
	key        crypto.PublicKey
	algorithms []string
}

func newIssuer(cfg *configv1.AccessJwt, keys Keys) (issuer, error) {
	if file := cfg.GetJwksFile(); file != "" {
		data, err := keys.ReadFile(file)
		if err != nil {
			return issuer{}, fmt.Errorf("jwks_file: %w", err)
		}
		set, err := parseKeySet(data)
		if err != nil {
			return issuer{}, fmt.Errorf("jwks_file: %s: %w", file, err)
		}
		return issuer{cfg, set}, nil
	}
	text, err := keys.Read(cfg.GetPublicKey())
	if err != nil {
		return issuer{}, fmt.Errorf("public_key: %w", err)
	}
	key, err := parsePEM(text)
	if err != nil {
		return issuer{}, fmt.Errorf("public_key: %w", err)
	}
	return issuer{cfg, []publicKey{key}}, nil
}

// caller verifies a JWT and returns whom it is about. Errors show nothing of it.
func (i issuer) caller(text string, now time.Time) (Caller, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.NewParser(
		jwt.WithIssuer(i.config.GetIssuer()), jwt.WithAudience(i.config.GetAudience()), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return now }),
	).ParseWithClaims(text, claims, i.choose)
	if err != nil {
		return Caller{}, reasonOf(err)
	}
	subject, _ := claims.GetSubject()
	c := Caller{
		ID: fmt.Sprintf("jwt %q of %s", cut(subject), i.config.GetIssuer()), merchants: list(claims[i.config.GetMerchantsClaim()], ""),
		providers: []string{everything}, scopes: scopes(list(claims[i.config.GetScopesClaim()], " ")),
	}
	if given, ok := claims[i.config.GetProvidersClaim()]; ok {
		c.providers = list(given, "")
	}
	return c, nil
}

// choose returns the keys that may verify a token. Its algorithm counts only
// where a key is made for it, so it can choose neither "none" nor HMAC.
func (i issuer) choose(t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	var set jwt.VerificationKeySet
	for _, k := range i.keys {
		if slices.Contains(k.algorithms, t.Method.Alg()) && (k.id == "" || id == "" || k.id == id) {
			set.Keys = append(set.Keys, k.key)
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key for the algorithm and key ID of the token")
	}
	return set, nil
}

// reasonOf says what is wrong with a token in words of ours: errors of the
// parser may quote it.
func reasonOf(err error) error {
	for _, known := range []error{
		jwt.ErrTokenExpired, jwt.ErrTokenNotValidYet, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience,
		jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("the token is neither known nor a JWT")
}

// list reads a claim that is a list of texts or one text, split at separator
// when that is given. Anything else is nothing.
func list(claim any, separator string) []string {
	switch claim := claim.(type) {
	case string:
		if separator != "" {
			return strings.Fields(claim)
		}
		return []string{claim}
	case []any:
		var texts []string
		for _, c := range claim {
			if text, ok := c.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}

// cut keeps a subject from filling the log.
func cut(subject string) string { return subject[:min(len(subject), 128)] }

// newKey says which algorithms a key is for.
func newKey(id string, key crypto.PublicKey) (publicKey, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return publicKey{}, fmt.Errorf("an RSA key of %d bits; want at least %d", k.N.BitLen(), minRSABits)
		}
		return publicKey{id, k, []string{"RS256", "PS256"}}, nil
	case *ecdsa.PublicKey:
		algorithm, ok := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[k.Curve.Params().BitSize]
		if !ok {
			return publicKey{}, fmt.Errorf("a key on the curve %s", k.Curve.Params().Name)
		}
		return publicKey{id, k, []string{algorithm}}, nil
	case ed25519.PublicKey:
		return publicKey{id, k, []string{"EdDSA"}}, nil
	}
	return publicKey{}, errors.New("a key that is neither RSA, nor on a P curve, nor Ed25519")
}
