package incode

import (
	"errors"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// currency is that of all Mexican tax documents that Incode reads; the payload
// has none that is documented.
const currency = "MXN"

// Normalize implements [provider.Adapter]. A delivery holds one item.
//
// Of the members, those that name a person or a company (rfcIssuer, issuerName,
// rfcReceiver, receiverName, rfcPac) are not read. Neither are issueDate and
// certificationDate: they are local times of an unknown zone, so the event has
// no time of its own.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	body, err := payload.ParseObject(plaintext)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	r := one(a.proof(body))
	r.Drift = a.documented.Drift(body)
	return r
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

// proof reads the notification.
func (a Adapter) proof(body payload.Value) provider.Item {
	var r member.Reader
	request := r.Text(body, "requestId", member.Required)
	status, foldedStatus, _ := word(body.Get("status"))
	cancellation, foldedCancellation, ok := word(body.Get("cancellationStatus"))
	if !ok {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD,
			"cancellationStatus is not a text that could be a word", request)
	}
	row, ok := a.table.find(foldedStatus, foldedCancellation)
	if !ok {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			"status is in no row of the mapping table", request)
	}
	total, err := amount(body.Get("totalCfdi"))
	if err != nil {
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT, "totalCfdi: %v", err)
	}
	if kept, bad := r.Problem(request); bad {
		return kept
	}
	e := row.event()
	e.ProviderPaymentId = request
	e.ProviderOperationId = document(body.Get("fiscalInvoice"))
	e.ProviderType = effect(body.Get("voucherEffect"))
	e.ProviderStatus = joined(status, cancellation)
	if total != nil {
		e.Amount, e.CurrencySource = total, eventv1.CurrencySource_CURRENCY_SOURCE_IMPLIED
	}
	return provider.Item{Row: row.shown, Fact: &provider.Fact{
		Event: e,
		// Folded: composed or decomposed, with or without blanks, it is one fact.
		Key:     []string{request, foldedStatus, foldedCancellation},
		Payment: []string{request},
	}}
}

// event returns what the row says.
func (r row) event() *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind:      eventv1.Kind_KIND_PROOF,
		Direction: eventv1.Direction_DIRECTION_INBOUND,
		Status:    &eventv1.PaymentStatusChanged_ProofStatus{ProofStatus: r.status},
	}
	if r.reason != "" {
		e.Reason = &eventv1.Reason{Code: r.reason}
	}
	return e
}

// joined is the provider's status as the event shows it.
func joined(status, cancellation string) string {
	if cancellation == "" {
		return status
	}
	return status + "/" + cancellation
}

// amount reads a total such as "$1,962.36", also as a JSON number. It is nil
// when there is none; an amount of zero is there.
func amount(v payload.Value) (*eventv1.Money, error) {
	if !v.Present() {
		return nil, nil
	}
	text, ok := v.Scalar()
	if !ok {
		return nil, errors.New("neither a text nor a number")
	}
	text = fold(text)
	if text == "" {
		return nil, nil
	}
	return money.ParseGrouped(text, currency)
}
