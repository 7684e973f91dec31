package clip

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Verify implements [provider.Adapter]. Clip signs nothing, so only the shared
// schemes apply, and none of them covers the body.
func (Adapter) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys)
}
