// Package clip is the adapter for Clip (Mexico): the notifications of its
// Checkout API. They name a payment and its status, never an amount, a currency
// or a merchant. Clip documents no signature, so the secret stands in the URL.
//
// Source: https://developer.clip.mx/reference/checkout-webhook
package clip

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// Adapter reads Clip's webhooks. Make one with New.
type Adapter struct {
	table      table
	shapes     []shape
	documented schema.Schema // of the full notification
	thin       schema.Schema // of the one without a status
}

var _ provider.Adapter = Adapter{}

// New returns the adapter.
func New() Adapter {
	t := newTable()
	return Adapter{table: t, shapes: shapes(), documented: notificationSchema(t), thin: thinSchema()}
}

// Describe implements [provider.Adapter].
func (a Adapter) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID:              "clip",
		Title:           "Clip (Mexico), Checkout",
		Summary:         summary,
		Documentation:   checkoutWebhook,
		Setup:           setup(),
		Endpoint:        endpointYAML,
		Rotation:        rotation,
		Acknowledgement: provider.Acknowledgement{Status: 200},
		Schemes: []provider.SchemeKind{
			provider.SchemeURLToken, provider.SchemeHeader, provider.SchemeSourceIP, provider.SchemeClientCertificate, provider.SchemeNone,
		},
		Timeout:        "Not documented. Source: " + checkoutWebhook,
		RetryPolicy:    "It retries, and counts in the member `attempts`; how often and for how long is not documented. Source: " + checkoutWebhook,
		TimeMember:     "`created_at`, `declined_at`, `completed_at`, `cancelled_at` or `canceled_at`, `expired_at`: the one of the status; `sent_date` for a cash voucher",
		IdempotencyKey: []string{"payment_request_id", "transaction_id", "resource", "resource_status"},
		Mappings:       a.mappings(),
		MappingVersion: 1,
		Gaps:           gaps(),
	}
}
