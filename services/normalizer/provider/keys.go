package provider

import (
	"crypto"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"
)

// SchemeKind names a kind of auth entry, as it is written in the configuration.
type SchemeKind string

// The kinds of auth entries.
const (
	SchemeURLToken SchemeKind = "url_token"
	SchemeAESGCM   SchemeKind = "aes_gcm"
	SchemeJWT      SchemeKind = "jwt"
	SchemeOAuth2   SchemeKind = "oauth2"
	SchemeHeader   SchemeKind = "header"
	SchemeSourceIP SchemeKind = "source_ip"
	SchemeNone     SchemeKind = "none"

	SchemeClientCertificate SchemeKind = "client_certificate"
)

// Keys is what an endpoint authenticates its deliveries with. Several keys of
// one kind are alternatives (a rotation). All kinds that have keys must hold,
// except that OAuth2 and Headers are alternatives of each other. The zero
// value authenticates nothing.
type Keys struct {
	URLTokens []SecretKey
	AESGCM    []SecretKey // Value is the raw key, 32 bytes
	JWT       []JWTKey
	OAuth2    []OAuth2Client
	Headers   []HeaderKey
	SourceIP  []SourceIP
	// Certificates are of the TLS connection that the delivery came over.
	Certificates []CertificateKey
	None         bool // accept everything; only when nothing else is set
}

// IDs returns the IDs of all keys, by which they are counted. Address ranges and
// None are no keys.
func (k Keys) IDs() []string {
	var ids []string
	for _, keys := range [][]SecretKey{k.URLTokens, k.AESGCM} {
		for _, key := range keys {
			ids = append(ids, key.ID)
		}
	}
	for _, key := range k.JWT {
		ids = append(ids, key.ID)
	}
	for _, key := range k.OAuth2 {
		ids = append(ids, key.ID)
	}
	for _, key := range k.Headers {
		ids = append(ids, key.ID)
	}
	for _, key := range k.Certificates {
		ids = append(ids, key.ID)
	}
	return ids
}

// Secret is a value that is never printed.
type Secret string

// String hides the secret from fmt.
func (Secret) String() string { return "[redacted]" }

// GoString hides the secret from fmt's %#v.
func (Secret) GoString() string { return "[redacted]" }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SecretKey is a shared secret and the ID under which it may be shown.
type SecretKey struct {
	ID    string
	Value Secret
}

// HeaderKey is a shared secret in a header. Name is in lower case.
type HeaderKey struct {
	SecretKey
	Name string
}

// JWTKey is a public key for JWTs of exactly one algorithm.
type JWTKey struct {
	ID        string
	Algorithm string // "ES256", "ES384" or "ES512"
	Public    crypto.PublicKey
	MaxSkew   time.Duration // how far the token's time may lie from ReceivedAt, both ways
}

// OAuth2Client is a provider's client of our token endpoint.
type OAuth2Client struct {
	SecretKey
	ClientID string
	TokenTTL time.Duration
}

// CertificateKey says which client certificates are the sender's.
type CertificateKey struct {
	ID    string
	Roots *x509.CertPool // who must have signed them
	Names []string       // DNS names, e-mail addresses or URIs, of which they must have one; empty: any name
}

// SourceIP is a set of addresses that deliveries may come from.
type SourceIP struct {
	ID       string
	Prefixes []netip.Prefix
}
