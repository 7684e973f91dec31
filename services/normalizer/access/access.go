// Package access says who may read what: bearer tokens and JWTs on one side,
// merchants, providers and scopes on the other. It is pure: time is an argument.
package access

import (
	"context"
	"errors"
	"slices"

	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// ErrUnauthenticated says that a caller has no token, or one that is no good.
var ErrUnauthenticated = errors.New("not authenticated")

// Scope is what a caller may do with what it sees.
type Scope string

// The scopes, as they are written in the configuration and in JWTs.
const (
	Events     Scope = "events"     // read events, payments, endpoints and providers, deliveries without content, and the schema
	Deliveries Scope = "deliveries" // read the content of deliveries
	Reprocess  Scope = "reprocess"  // normalize deliveries again
	Ingest     Scope = "ingest"     // hand in deliveries, as the gateway does
)

// everything stands for all merchants or all providers.
const everything = "*"

// Caller is who makes a call, and what it may see and do. The zero value sees
// and may do nothing.
type Caller struct {
	ID        string // for the log; never a token
	merchants []string
	providers []string
	scopes    []Scope
}

// Anybody is the caller where no tokens are configured: it sees and may do everything.
func Anybody() Caller {
	return Caller{
		ID: "anybody", merchants: []string{everything}, providers: []string{everything},
		scopes: []Scope{Events, Deliveries, Reprocess, Ingest},
	}
}

// Sees says whether the caller may know of what belongs to provider and merchant.
func (c Caller) Sees(provider, merchant string) bool {
	return holds(c.providers, provider) && holds(c.merchants, merchant)
}

// SeesAll says whether the caller may know of every merchant of a provider.
func (c Caller) SeesAll(provider string) bool {
	return holds(c.providers, provider) && slices.Contains(c.merchants, everything)
}

// Equal says whether c and d are the same caller, who may see and do the same.
func (c Caller) Equal(d Caller) bool {
	return c.ID == d.ID && slices.Equal(c.merchants, d.merchants) && slices.Equal(c.providers, d.providers) && slices.Equal(c.scopes, d.scopes)
}

// Allows says whether the caller has a scope.
func (c Caller) Allows(s Scope) bool { return slices.Contains(c.scopes, s) }

// Narrow adds to the conditions of a list that it holds only what the caller sees.
func (c Caller) Narrow(conditions filter.Conditions) filter.Conditions {
	for _, side := range []struct {
		field filter.Field
		texts []string
	}{{filter.Provider, c.providers}, {filter.Merchant, c.merchants}} {
		if !slices.Contains(side.texts, everything) {
			conditions = append(conditions, filter.Condition{Field: side.field, Op: filter.OneOf, Type: filter.Text, Texts: side.texts})
		}
	}
	return conditions
}

func holds(list []string, name string) bool {
	return slices.Contains(list, everything) || slices.Contains(list, name)
}

type key struct{}

// With returns ctx with the caller.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From returns the caller of ctx; one that sees nothing when there is none.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(key{}).(Caller)
	return c
}
