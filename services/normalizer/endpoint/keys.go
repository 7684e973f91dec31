package endpoint

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/types/known/durationpb"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// minSecretBytes is the least length of a shared secret. 8 random letters are
// beyond guessing over a network; it keeps out the empty and the careless ones.
const minSecretBytes = 8

// keyReader reads the auth entries of one endpoint.
type keyReader struct {
	secrets config.Secrets
	keys    provider.Keys
}

// readKeys reads the auth entries of an endpoint whose provider has schemes.
// Problems go to report with the field below the endpoint.
func readKeys(auth []*configv1.Auth, schemes []provider.SchemeKind, secrets config.Secrets, report func(member string, err error)) provider.Keys {
	r := keyReader{secrets: secrets}
	if len(auth) == 0 {
		report(".auth", errors.New("no auth: anybody could forge webhooks"))
	}
	number := map[provider.SchemeKind]int{}
	ids := map[string]bool{}
	for i, a := range auth {
		entry := fmt.Sprintf(".auth[%d]", i)
		kind := kindOf(a)
		if !slices.Contains(schemes, kind) {
			report(entry, fmt.Errorf("the provider has no %q; it has %s", kind, joinKinds(schemes)))
			continue
		}
		if kind == provider.SchemeNone && len(auth) > 1 {
			report(entry, errors.New("none stands alone"))
		}
		number[kind]++
		id := a.GetId()
		if id == "" {
			id = fmt.Sprintf("%s-%d", kind, number[kind])
		}
		if ids[id] {
			report(entry+".id", fmt.Errorf("%q is taken by another entry", id))
		}
		ids[id] = true
		if member, err := r.add(id, a); err != nil {
			report(entry+"."+string(kind)+member, err)
		}
	}
	return r.keys
}

// add adds the key of a to the keys. member is the field of the kind that is wrong, with its dot.
func (r *keyReader) add(id string, a *configv1.Auth) (member string, err error) {
	switch kind := a.GetKind().(type) {
	case *configv1.Auth_UrlToken:
		secret, err := r.shared(id, kind.UrlToken.GetSecret())
		r.keys.URLTokens = append(r.keys.URLTokens, secret)
		return ".secret", err
	case *configv1.Auth_AesGcm:
		secret, err := r.aesKey(id, kind.AesGcm.GetKey())
		r.keys.AESGCM = append(r.keys.AESGCM, secret)
		return ".key", err
	case *configv1.Auth_Jwt:
		public, err := r.publicKey(kind.Jwt)
		r.keys.JWT = append(r.keys.JWT, provider.JWTKey{
			ID: id, Algorithm: kind.Jwt.GetAlgorithm(), Public: public, MaxSkew: orDefault(kind.Jwt.GetMaxSkew(), config.DefaultMaxSkew),
		})
		return ".public_key", err
	case *configv1.Auth_Oauth2:
		secret, err := r.shared(id, kind.Oauth2.GetClientSecret())
		r.keys.OAuth2 = append(r.keys.OAuth2, provider.OAuth2Client{
			SecretKey: secret, ClientID: kind.Oauth2.GetClientId(), TokenTTL: orDefault(kind.Oauth2.GetTokenTtl(), config.DefaultTokenTTL),
		})
		return ".client_secret", err
	case *configv1.Auth_Header:
		secret, err := r.shared(id, kind.Header.GetSecret())
		r.keys.Headers = append(r.keys.Headers, provider.HeaderKey{SecretKey: secret, Name: strings.ToLower(kind.Header.GetName())})
		return ".secret", err
	case *configv1.Auth_SourceIp:
		prefixes, member, err := ranges(kind.SourceIp.GetCidrs())
		r.keys.SourceIP = append(r.keys.SourceIP, provider.SourceIP{ID: id, Prefixes: prefixes})
		return member, err
	case *configv1.Auth_ClientCertificate:
		roots, err := r.authorities(kind.ClientCertificate.GetCa())
		r.keys.Certificates = append(r.keys.Certificates, provider.CertificateKey{ID: id, Roots: roots, Names: kind.ClientCertificate.GetNames()})
		return ".ca", err
	case *configv1.Auth_None:
		r.keys.None = kind.None.GetIAcceptForgedWebhooks()
		if !r.keys.None {
			return ".i_accept_forged_webhooks", errors.New("want true")
		}
	}
	return "", nil
}

// shared reads a secret that the provider sends in clear.
func (r *keyReader) shared(id string, ref *configv1.Secret) (provider.SecretKey, error) {
	value, err := r.secrets.Read(ref)
	if err != nil {
		return provider.SecretKey{}, err
	}
	if len(value) < minSecretBytes {
		return provider.SecretKey{}, fmt.Errorf("the secret is too short to resist guessing; want at least %d bytes", minSecretBytes)
	}
	return provider.SecretKey{ID: id, Value: provider.Secret(value)}, nil
}

// aesKey reads an AES-256 key in hex. Keys are pasted from web pages that print
// them in groups, so blanks inside are fine.
func (r *keyReader) aesKey(id string, ref *configv1.Secret) (provider.SecretKey, error) {
	text, err := r.secrets.Read(ref)
	if err != nil {
		return provider.SecretKey{}, err
	}
	digits := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 32 {
		return provider.SecretKey{}, errors.New("the key is not 64 hex digits")
	}
	return provider.SecretKey{ID: id, Value: provider.Secret(raw)}, nil
}

func ranges(cidrs []string) (prefixes []netip.Prefix, member string, err error) {
	if len(cidrs) == 0 {
		return nil, ".cidrs", errors.New("want at least one range")
	}
	for i, cidr := range cidrs {
		p, err := config.ParseCIDR(cidr)
		if err != nil {
			return nil, fmt.Sprintf(".cidrs[%d]", i), err
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, "", nil
}

func orDefault(d *durationpb.Duration, value time.Duration) time.Duration {
	if d.AsDuration() > 0 {
		return d.AsDuration()
	}
	return value
}

func kindOf(a *configv1.Auth) provider.SchemeKind {
	m := a.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")); field != nil {
		return provider.SchemeKind(field.Name()) // the names are the same by design
	}
	return ""
}

func joinKinds(kinds []provider.SchemeKind) string {
	var list []string
	for _, k := range kinds {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}
