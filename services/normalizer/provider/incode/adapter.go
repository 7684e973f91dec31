// Package incode is the adapter for Incode's proof of payment webhook (Mexico):
// the outcome of looking up a tax document (CFDI) at the tax authority. It
// tells that a document exists and whether it was canceled. It never tells that
// somebody has paid, so its events are proofs, not payments.
//
// Source: https://developer.incode.com/docs/webhooks
package incode

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// Adapter reads Incode's webhooks. Make one with New.
type Adapter struct {
	table      table
	documented schema.Schema
}

var _ provider.Adapter = Adapter{}

// New returns the adapter.
func New() Adapter {
	t := newTable()
	return Adapter{table: t, documented: documented(t)}
}

// Describe implements [provider.Adapter].
func (a Adapter) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID:              "incode",
		Title:           "Incode (Mexico), proof of payment",
		Summary:         summary,
		Documentation:   webhooks,
		Setup:           setup(),
		Endpoint:        endpointYAML,
		Rotation:        rotation,
		Acknowledgement: provider.Acknowledgement{Status: 204},
		Schemes: []provider.SchemeKind{
			provider.SchemeOAuth2, provider.SchemeHeader, provider.SchemeURLToken, provider.SchemeSourceIP, provider.SchemeClientCertificate, provider.SchemeNone,
		},
		Timeout: "There is one; how long it is, is not documented. Source: " + webhooks,
		RetryPolicy: "Five retries after 30, 75, 187.5, 468.75 and 1171.88 seconds, about 32 minutes in all; " +
			"what becomes of the notification after the last one is not documented. Source: " + webhooks,
		IdempotencyKey: []string{"requestId", "`status`, accents composed and blanks trimmed", "`cancellationStatus`, likewise"},
		Mappings:       a.table.mappings(),
		MappingVersion: 2,
		Gaps:           gaps(),
	}
}
