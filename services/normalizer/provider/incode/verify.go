package incode

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Verify implements [provider.Adapter]. Incode sends a bearer token that our
// own token endpoint handed out, or fixed headers that its customer chose. It
// signs nothing, so no scheme covers the body.
//
// Source: https://developer.incode.com/docs/authenticating-webhooks-requests
func (Adapter) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys)
}
