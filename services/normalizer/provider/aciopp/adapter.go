// Package aciopp understands the webhooks of ACI Worldwide's Open Payment
// Platform, also known as OPPWA: PrimeiroPay, PPRO LatAm, Peach, HyperPay,
// AllSecure and other brands run on it.
//
// The body is encrypted with AES-256-GCM, one key per listener. What a
// notification means follows from three members together: the payment type
// (what was attempted), the group of the result code (how it went) and, on a
// preauthorization, the payment brand: on a card it holds funds, on a voucher
// brand it only prints a voucher.
package aciopp

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// ID is the provider's ID in paths, subjects and configuration.
const ID = "aci-opp"

// mappingVersion is raised with each change of the mapping tables.
const mappingVersion = 3

// Adapter is the adapter for ACI OPP. Make one with New; the zero value maps nothing.
type Adapter struct {
	groups     []group
	operations []operation
	rules      []rule
	brands     []brandFamily
	types      []*provider.Mapping // that are skipped
	others     *provider.Mapping
	documented schema.Schema
}

var _ provider.Adapter = Adapter{}

// New returns the adapter with its mapping tables.
func New() Adapter {
	a := Adapter{
		groups:     resultGroups(),
		operations: operations(),
		rules:      rules(),
		brands:     brandFamilies(),
		types:      skippedTypes(),
		others:     others(),
	}
	for i, r := range a.rules {
		a.rules[i].shown = a.show(r)
	}
	a.documented = documented(a)
	return a
}

// Describe says what ACI OPP is and what the adapter knows of it.
func (a Adapter) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID:              ID,
		Title:           "ACI Worldwide OPP (OPPWA)",
		Summary:         summary,
		Documentation:   sourceWebhooks,
		Setup:           setup(),
		Endpoint:        endpointYAML,
		Rotation:        rotation,
		Acknowledgement: provider.Acknowledgement{Status: 200},
		Schemes: []provider.SchemeKind{
			provider.SchemeAESGCM, provider.SchemeURLToken, provider.SchemeSourceIP, provider.SchemeClientCertificate, provider.SchemeNone,
		},
		Timeout:        "30 seconds. Source: " + sourceDelivery,
		RetryPolicy:    "Any 2xx stops it; some brands want exactly 200. Otherwise it retries at growing intervals for up to 30 days. Source: " + sourceDelivery,
		TimeMember:     "timestamp",
		IdempotencyKey: []string{"type", "action", "payload.id", "result.code", "timestamp"},
		Mappings:       a.mappings(),
		MappingVersion: mappingVersion,
		Gaps:           gaps(),
	}
}
