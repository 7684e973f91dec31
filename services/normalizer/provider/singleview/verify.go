package singleview

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Verify implements [provider.Adapter]. SingleView signs nothing, so only the
// shared schemes apply, and none of them covers the body. The caller compares
// companyCode with the accounts that the endpoint expects.
func (Adapter) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys)
}
