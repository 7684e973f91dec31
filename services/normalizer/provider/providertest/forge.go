package providertest

import (
	"slices"

	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// emptied is keys as a configuration would give them whose secrets are all
// empty: nothing may pass.
func emptied(keys provider.Keys) provider.Keys {
	none := provider.Keys{
		URLTokens: slices.Clone(keys.URLTokens),
		AESGCM:    slices.Clone(keys.AESGCM),
		JWT:       slices.Clone(keys.JWT),
		OAuth2:    slices.Clone(keys.OAuth2),
		Headers:   slices.Clone(keys.Headers),
	}
	for i := range none.URLTokens {
		none.URLTokens[i].Value = ""
	}
	for i := range none.AESGCM {
		none.AESGCM[i].Value = ""
	}
	for i := range none.JWT {
		none.JWT[i].Public = nil
	}
	for i := range none.OAuth2 {
		none.OAuth2[i].Value = ""
	}
	for i := range none.Headers {
		none.Headers[i].Value = ""
	}
	return none
}

// forged is d with every proof replaced by an empty one.
func forged(s Suite, d provider.Delivery) provider.Delivery {
	d = clone(d)
	for i, h := range d.Headers {
		if slices.Contains(s.SignedHeaders, h.Name) {
			d.Headers[i].Value = ""
		}
	}
	if start, end, ok := tokenSpan(d.RawQuery); ok {
		d.RawQuery = d.RawQuery[:start] + d.RawQuery[end:]
	}
	return d
}
