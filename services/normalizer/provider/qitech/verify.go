package qitech

import (
	"crypto/ecdsa"
	"crypto/md5" // The claim payload_md5 is the provider's choice; it stands under an ECDSA signature.
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/instant"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Verify checks the JWT that signs the delivery.
// Source: https://docs.qitech.com.br/primeiros_passos/teste_de_autenticacao/webhook_v2
func (Adapter) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys, signedToken)
}

// signedToken is the scheme jwt. Everything that is wrong with a token is the
// same to the sender: not authentic.
func signedToken(d provider.Delivery, keys provider.Keys) (scheme.Proof, bool, error) {
	if len(keys.JWT) == 0 {
		return scheme.Proof{}, false, nil
	}
	token, ok := d.Header("authorization")
	if !ok {
		return scheme.Proof{}, true, fmt.Errorf("%w: want one header authorization", provider.ErrNotAuthentic)
	}
	// The documentation shows the bare token; proxies and later versions of such
	// schemes put "Bearer" in front.
	if kind, rest, found := strings.Cut(token, " "); found && strings.EqualFold(kind, "Bearer") {
		token = rest
	}
	err := fmt.Errorf("%w: no key for the token", provider.ErrNotAuthentic)
	for _, k := range keys.JWT {
		if err = checkToken(d, token, k); err == nil {
			return scheme.Proof{Scheme: provider.SchemeJWT, KeyID: k.ID, Coverage: eventv1.Coverage_COVERAGE_REQUEST}, true, nil
		}
	}
	return scheme.Proof{}, true, err
}

// checkToken checks token's signature with k, and then that its claims are about d.
func checkToken(d provider.Delivery, token string, k provider.JWTKey) error {
	claims, err := signedClaims(token, k)
	if err != nil {
		return fmt.Errorf("%w: %w", provider.ErrNotAuthentic, err)
	}
	switch {
	case !claims.isBody(d.Body):
		return fmt.Errorf("%w: payload_md5 is not the body's", provider.ErrNotAuthentic)
	case claims.method != d.Method:
		return fmt.Errorf("%w: method is not the request's", provider.ErrNotAuthentic)
	case !claims.isTarget(d):
		return fmt.Errorf("%w: uri is not the request's", provider.ErrNotAuthentic)
	case !claims.isFresh(d.ReceivedAt, k.MaxSkew):
		return fmt.Errorf("%w: timestamp is farther than %s from the time of receipt", provider.ErrNotAuthentic, k.MaxSkew)
	}
	return nil
}

// claims is what a token says about the request that carries it.
type claims struct {
	md5, timestamp, method, uri string
}

// isBody compares the MD5 of the exact bytes.
func (c claims) isBody(body []byte) bool {
	signed, err := hex.DecodeString(c.md5)
	sum := md5.Sum(body)
	return err == nil && subtle.ConstantTimeCompare(signed, sum[:]) == 1
}

// isTarget accepts the path alone, which is what is documented, or the whole
// request target.
func (c claims) isTarget(d provider.Delivery) bool {
	if c.uri == "" {
		return false
	}
	return c.uri == d.Path || d.RawQuery != "" && c.uri == d.Path+"?"+d.RawQuery
}

func (c claims) isFresh(receivedAt time.Time, maxSkew time.Duration) bool {
	t, err := instant.Parse(c.timestamp)
	return err == nil && receivedAt.Sub(t).Abs() <= maxSkew
}

// signedClaims returns the claims of token if k signed it.
//
// The algorithm is the key's, never the token's, so neither "none" nor HS256
// keyed with the public key can be chosen; and the key is the configured one:
// jwk, jku, x5u and kid in the token's header are not looked at. The library
// checks no claims, because it would use the clock.
func signedClaims(token string, k provider.JWTKey) (claims, error) {
	public, err := publicKey(k)
	if err != nil {
		return claims{}, err
	}
	// Go's base64 decoder skips line ends even when it is strict.
	if strings.ContainsAny(token, "\r\n") {
		return claims{}, jwt.ErrTokenMalformed
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{k.Algorithm}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	parsed, err := parser.Parse(token, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil {
		return claims{}, err
	}
	// RFC 7515, section 4.1.11: an extension that we do not know and that the
	// sender calls critical makes the token invalid.
	if _, critical := parsed.Header["crit"]; critical {
		return claims{}, fmt.Errorf("%w: critical extension", jwt.ErrTokenUnverifiable)
	}
	return readClaims(parser, token)
}

// readClaims reads the claims by the rules for bodies: exact names, no name
// twice, all four of them texts.
func readClaims(parser *jwt.Parser, token string) (claims, error) {
	data, err := parser.DecodeSegment(strings.Split(token, ".")[1])
	if err != nil {
		return claims{}, err
	}
	v, err := payload.ParseObject(data)
	if err != nil {
		return claims{}, err
	}
	var c claims
	for _, m := range []struct {
		name string
		text *string
	}{{"payload_md5", &c.md5}, {"timestamp", &c.timestamp}, {"method", &c.method}, {"uri", &c.uri}} {
		text, ok := v.Get(m.name).Text()
		if !ok {
			return claims{}, fmt.Errorf("%w: %s is missing or not a text", jwt.ErrTokenInvalidClaims, m.name)
		}
		*m.text = text
	}
	return c, nil
}

// publicKey returns k's key if it is one for k's algorithm.
func publicKey(k provider.JWTKey) (*ecdsa.PublicKey, error) {
	var method *jwt.SigningMethodECDSA
	switch k.Algorithm {
	case "ES256":
		method = jwt.SigningMethodES256
	case "ES384":
		method = jwt.SigningMethodES384
	case "ES512":
		method = jwt.SigningMethodES512
	default:
		return nil, fmt.Errorf("%w: algorithm of the configured key", jwt.ErrInvalidKeyType)
	}
	public, ok := k.Public.(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve == nil || public.Params().BitSize != method.CurveBits {
		return nil, fmt.Errorf("%w: the configured key is not on the curve of %s", jwt.ErrInvalidKey, k.Algorithm)
	}
	return public, nil
}
