// Package qitech understands the invoice payment webhooks of QI Tech (Brazil).
//
// Each delivery carries a JWT, signed with QI Tech's key, that names the body's
// MD5, the method, the path and the time. The product line's other
// notifications come to the same URL under other types; they are acknowledged
// and not published.
package qitech

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// ID is the provider's ID in paths, subjects and configuration.
const ID = "qitech"

// mappingVersion is raised with each change of the mapping tables.
const mappingVersion = 2

// Adapter is the adapter for QI Tech. Make one with New; the zero value maps nothing.
type Adapter struct {
	statuses []status
	methods  []method
	skips    []*provider.Mapping // by webhook_type
	others   others

	documented schema.Schema // of an invoice payment
	envelope   schema.Schema // of the siblings
}

var _ provider.Adapter = Adapter{}

// New returns the adapter with its mapping tables.
func New() Adapter {
	a := Adapter{statuses: statuses(), methods: methods(), skips: skips(), others: newOthers()}
	a.documented, a.envelope = invoicePaymentSchema(a), envelopeSchema(a)
	return a
}

// Describe says what QI Tech is and what the adapter knows of it.
func (a Adapter) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID:              ID,
		Title:           "QI Tech (Brazil), invoice payments",
		Summary:         summary,
		Documentation:   sourceInvoicePayment,
		Setup:           setup(),
		Endpoint:        endpointYAML,
		Rotation:        rotation,
		Acknowledgement: provider.Acknowledgement{Status: 200},
		Schemes: []provider.SchemeKind{
			provider.SchemeJWT, provider.SchemeHeader, provider.SchemeURLToken, provider.SchemeSourceIP, provider.SchemeClientCertificate, provider.SchemeNone,
		},
		Timeout: "10 seconds. Source: " + sourceInvoicePayment,
		RetryPolicy: "Automatic retries are not documented. Any notification of the last 14 days, delivered or not, " +
			"can be sent again by hand. Source: " + sourceResending,
		TimeMember:     "webhook_datetime",
		IdempotencyKey: []string{"webhook_type", "invoice_payment_key", "invoice_payment_status", "paid_amount", "total_amount"},
		Mappings:       a.mappings(),
		MappingVersion: mappingVersion,
		Gaps:           gaps(),
	}
}
