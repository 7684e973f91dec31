package endpoint

import "sync/atomic"

// Registry holds the endpoints in use. Requests find theirs while Reload puts
// new ones in place; a request keeps the endpoint that it found.
type Registry struct {
	set atomic.Pointer[Set]
}

// NewRegistry returns a registry of set.
func NewRegistry(set *Set) *Registry {
	r := &Registry{}
	r.set.Store(set)
	return r
}

// Find returns the endpoint of a provider and merchant. Errors wrap ErrNotFound.
func (r *Registry) Find(providerID, merchant string) (*Endpoint, error) {
	return r.set.Load().Find(providerID, merchant)
}

// Len is the number of endpoints in use.
func (r *Registry) Len() int { return r.set.Load().Len() }

// Reload replaces the endpoints by those that load returns. On an error the old
// ones stay in use.
func (r *Registry) Reload(load func() (*Set, error)) error {
	set, err := load()
	if err != nil {
		return err
	}
	r.set.Store(set)
	return nil
}
