package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// maxToken is the largest token in bytes that is looked at.
const maxToken = 16 << 10

// Policy is who may read by one configuration. It does not change.
type Policy struct {
	open    bool
	tokens  []token
	issuers []issuer
}

type token struct {
	sum    [sha256.Size]byte
	caller Caller
}

// Keys reads the keys of issuers that a configuration refers to.
type Keys interface {
	// Read returns a secret, here a public key in PEM form.
	Read(ref *configv1.Secret) (string, error)
	// ReadFile returns a file, here a JSON Web Key Set.
	ReadFile(file string) ([]byte, error)
}

// NewPolicy makes the policy of cfg, whose defaults are filled in. Without
// tokens and issuers it is open to anybody; whether that is allowed, the
// configuration's own rules say. Errors name the field below access.
func NewPolicy(cfg *configv1.Access, keys Keys) (*Policy, error) {
	p := &Policy{open: len(cfg.GetTokens())+len(cfg.GetJwt()) == 0}
	for i, t := range cfg.GetTokens() {
		sum, err := hex.DecodeString(t.GetSha256())
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("access.tokens[%d].sha256: want 64 hex digits", i)
		}
		p.tokens = append(p.tokens, token{[sha256.Size]byte(sum), Caller{
			ID: "token " + t.GetId(), merchants: t.GetMerchants(), providers: t.GetProviders(), scopes: scopes(t.GetScopes()),
		}})
	}
	for i, j := range cfg.GetJwt() {
		one, err := newIssuer(j, keys)
		if err != nil {
			return nil, fmt.Errorf("access.jwt[%d].%w", i, err)
		}
		p.issuers = append(p.issuers, one)
	}
	return p, nil
}

// Open says whether anybody may read.
func (p *Policy) Open() bool { return p.open }

// Authenticate returns whose token authorization carries at now. Errors wrap
// ErrUnauthenticated and show nothing of the token.
func (p *Policy) Authenticate(authorization string, now time.Time) (Caller, error) {
	if p.open {
		return Anybody(), nil
	}
	kind, sent, _ := strings.Cut(authorization, " ")
	sent = strings.TrimSpace(sent)
	switch {
	case authorization == "":
		return Caller{}, fmt.Errorf("%w: want the header authorization with a bearer token", ErrUnauthenticated)
	case !strings.EqualFold(kind, "Bearer") || sent == "" || len(sent) > maxToken:
		return Caller{}, fmt.Errorf("%w: the header authorization holds no bearer token", ErrUnauthenticated)
	}
	// All tokens are compared, so that the time does not tell which one was near.
	sum := sha256.Sum256([]byte(sent))
	var found *Caller
	for i := range p.tokens {
		if subtle.ConstantTimeCompare(sum[:], p.tokens[i].sum[:]) == 1 {
			found = &p.tokens[i].caller
		}
	}
	if found != nil {
		return *found, nil
	}
	err := errors.New("the token is not known")
	for _, one := range p.issuers {
		caller, fault := one.caller(sent, now)
		if fault == nil {
			return caller, nil
		}
		err = fault
	}
	return Caller{}, fmt.Errorf("%w: %w", ErrUnauthenticated, err)
}

// scopes passes over words that are none: an issuer has scopes of other services too.
func scopes(words []string) (list []Scope) {
	for _, w := range words {
		switch s := Scope(w); s {
		case Events, Deliveries, Reprocess, Ingest:
			list = append(list, s)
		}
	}
	return list
}

// Gate holds the policy in use. Calls ask it while Set puts a new one in place.
// Its zero value lets nobody in.
type Gate struct {
	policy atomic.Pointer[Policy]
	// Now is the clock of tokens that run out. Required.
	Now func() time.Time
}

// Set puts p in place.
func (g *Gate) Set(p *Policy) { g.policy.Store(p) }

// Open says whether anybody may read now.
func (g *Gate) Open() bool {
	p := g.policy.Load()
	return p != nil && p.Open()
}

// Authenticate is that of the policy in use.
func (g *Gate) Authenticate(authorization string) (Caller, error) {
	p := g.policy.Load()
	if p == nil {
		return Caller{}, fmt.Errorf("%w: nobody is let in yet", ErrUnauthenticated)
	}
	return p.Authenticate(authorization, g.Now())
}
