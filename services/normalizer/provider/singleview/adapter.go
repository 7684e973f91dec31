// Package singleview is the adapter for SingleView (Saudi Arabia and Bahrain),
// a treasury service through which companies pay out. Its webhooks hold
// batches: each element tells the status of one payout, or the bank's charge
// for it. SingleView documents no signature, so the secret stands in the URL.
//
// Source: https://docs.onesingleview.com/v1.0.4/docs/erp-integration-api-webhook-payment-enquiry
package singleview

import (
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// Adapter reads SingleView's webhooks. Make one with New.
type Adapter struct {
	table      table
	skips      []*provider.Mapping // by service
	documented schema.Schema
}

var _ provider.Adapter = Adapter{}

// New returns the adapter.
func New() Adapter {
	t := newTable()
	return Adapter{table: t, skips: skips(), documented: documented(t)}
}

// Describe implements [provider.Adapter].
func (a Adapter) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID:            "singleview",
		Title:         "SingleView (Saudi Arabia, Bahrain), payouts",
		Summary:       summary,
		Documentation: webhookPage,
		Setup:         setup(),
		Endpoint:      endpointYAML,
		Rotation:      rotation,
		Acknowledgement: provider.Acknowledgement{
			Status: 200, ContentType: "application/json", Body: `{"status":"OK"}`,
		},
		Schemes: []provider.SchemeKind{
			provider.SchemeURLToken, provider.SchemeHeader, provider.SchemeSourceIP, provider.SchemeClientCertificate, provider.SchemeNone,
		},
		Timeout: "Not documented. Source: " + webhookPage,
		RetryPolicy: "Once an hour, at most 3 attempts, then the event is discarded; " +
			"three discarded events switch the webhook off. Source: " + webhookPage,
		TimeMember: "txnDate",
		IdempotencyKey: []string{
			"service", "companyCode", "payId", "svRefId", "seqNum", "status", "approval_status", "amount", "chargeAmount",
		},
		Mappings:       a.mappings(),
		MappingVersion: 2,
		Gaps:           gaps(),
	}
}
