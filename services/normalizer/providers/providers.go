// Package providers is the list of adapters: the only package that imports them all.
package providers

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/aciopp"
	"github.com/paynorm/paynorm/services/normalizer/provider/clip"
	"github.com/paynorm/paynorm/services/normalizer/provider/incode"
	"github.com/paynorm/paynorm/services/normalizer/provider/qitech"
	"github.com/paynorm/paynorm/services/normalizer/provider/singleview"
)

// All returns one adapter of each provider that paynorm understands, by ID.
func All() []provider.Adapter {
	return []provider.Adapter{
		aciopp.New(),
		clip.New(),
		incode.New(),
		qitech.New(),
		singleview.New(),
	}
}
