// Package endpoint turns the configuration into who may post what, with which
// live keys, and keeps that up to date while paynorm runs.
package endpoint

import (
	"errors"
	"fmt"
	"iter"
	"maps"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// ErrNotFound says that no endpoint is configured for a provider and merchant.
var ErrNotFound = errors.New("no such endpoint")

// Endpoint is one receiving URL: /webhooks/{provider}/{merchant}. It is shared
// by all requests and must not be changed.
type Endpoint struct {
	Provider        string
	Merchant        string
	Mode            eventv1.Mode
	ExpectAccounts  []string // empty: any account
	Keys            provider.Keys
	Adapter         provider.Adapter
	Acknowledgement provider.Acknowledgement // the adapter's, at hand for each delivery
	Redact          []string                 // headers whose values are credentials, in lower case, sorted
	Secrets         []provider.Secret        // of Keys, those that requests carry, the longest first: one may begin with another
}

// Set is the endpoints of one configuration. It does not change.
type Set struct {
	endpoints map[key]*Endpoint
}

type key struct{ provider, merchant string }

// Find returns the endpoint of a provider and merchant. It allocates nothing
// when there is one. Errors wrap ErrNotFound.
func (s *Set) Find(providerID, merchant string) (*Endpoint, error) {
	if e := s.endpoints[key{providerID, merchant}]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w: %q, %q", ErrNotFound, providerID, merchant)
}

// All returns the endpoints in no particular order.
func (s *Set) All() iter.Seq[*Endpoint] { return maps.Values(s.endpoints) }

// Len is the number of endpoints.
func (s *Set) Len() int { return len(s.endpoints) }

// Error is what is wrong with an endpoint of a configuration.
type Error struct {
	Position string // of Field, for example "paynorm.yaml:12:9"; empty when the file is not known
	Field    string // for example "endpoints[1].auth[0].aes_gcm.key"
	Provider string
	Merchant string
	Err      error // never holds a secret
}

// Error is "position: field (provider/merchant): problem".
func (e *Error) Error() string {
	text := fmt.Sprintf("%s (%s/%s): %s", e.Field, e.Provider, e.Merchant, e.Err)
	if e.Position != "" {
		text = e.Position + ": " + text
	}
	return text
}

// Unwrap returns the problem.
func (e *Error) Unwrap() error { return e.Err }
