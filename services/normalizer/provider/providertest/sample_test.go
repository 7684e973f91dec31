package providertest_test

import (
	"net/url"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// sample is a small adapter without a fault; the mutants are made of it.
type sample struct{}

func (sample) Describe() provider.Descriptor {
	return provider.Descriptor{
		ID: "sample", Title: "Sample", Summary: "Tells that somebody paid.", Documentation: "https://example.com/webhooks",
		Setup: []string{"Enter the URL."}, Rotation: "Add a second entry.", Endpoint: "- provider: sample\n",
		Timeout: "none", RetryPolicy: "none", IdempotencyKey: []string{"id", "status"},
		Acknowledgement: provider.Acknowledgement{Status: 204},
		Schemes:         []provider.SchemeKind{provider.SchemeURLToken},
		MappingVersion:  1,
		Mappings:        sampleRows(),
	}
}

func sampleRows() []provider.Mapping {
	return []provider.Mapping{
		{ProviderStatus: "paid", Outcome: "PAYMENT_STATUS_PAID", Source: "synthetic"},
		{ProviderStatus: "held", Outcome: "PAYMENT_STATUS_REQUIRES_ACTION", Reason: "manual_review", Source: "synthetic"},
		{ProviderStatus: "ping", Outcome: "skipped", Reason: "not_a_payment", Source: "synthetic"},
	}
}

func (sample) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys)
}

func (sample) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	rows := sampleRows()
	body, err := payload.ParseObject(plaintext)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	status, _ := body.Get("status").Text()
	if status == "ping" {
		return one(provider.Item{Skip: &provider.Skip{Reason: "not_a_payment"}, Row: &rows[2]})
	}
	id, _ := body.Get("id").Text()
	if id == "" {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "id is missing or not a text"))
	}
	amount, _ := body.Get("amount").Scalar()
	m, err := money.Parse(amount, "MXN")
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT, err.Error(), id))
	}
	e := &eventv1.PaymentStatusChanged{
		Kind: eventv1.Kind_KIND_PAYMENT, Direction: eventv1.Direction_DIRECTION_INBOUND,
		Status:            &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		ProviderPaymentId: id, ProviderStatus: status, Amount: m, CurrencySource: eventv1.CurrencySource_CURRENCY_SOURCE_IMPLIED,
	}
	row := &rows[0]
	if status == "held" {
		row = &rows[1]
		e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION}
		e.ActionBy, e.Reason = eventv1.ActionBy_ACTION_BY_MERCHANT, &eventv1.Reason{Code: "manual_review"}
	}
	r := one(provider.Item{Row: row, Fact: &provider.Fact{Event: e, Key: []string{id, status}, Payment: []string{id}}})
	r.Drift = schema.New(
		schema.Member{Name: "id", Kinds: schema.Text},
		schema.Member{Name: "status", Kinds: schema.Text},
		schema.Member{Name: "amount", Kinds: schema.Text | schema.Number},
		schema.Member{Name: "payer", Kinds: schema.Text},
	).Drift(body)
	return r
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

func suite(a provider.Adapter) providertest.Suite {
	secrets := []provider.Secret{"first-test-secret", "second-test-secret", "never-configured"}
	return providertest.Suite{
		Adapter: a,
		Keys: provider.Keys{URLTokens: []provider.SecretKey{
			{ID: "url_token-1", Value: secrets[0]}, {ID: "url_token-2", Value: secrets[1]},
		}},
		Sign: func(_ testing.TB, d *provider.Delivery, plaintext []byte, key int) {
			d.RawQuery = url.Values{"token": {string(secrets[key])}}.Encode()
			d.Body = plaintext
		},
	}
}

func TestConformanceOfSample(t *testing.T) { providertest.Run(t, suite(sample{})) }

func FuzzVerify(f *testing.F) { providertest.FuzzVerify(f, suite(sample{})) }

func FuzzNormalize(f *testing.F) { providertest.FuzzNormalize(f, suite(sample{})) }
