package singleview

import (
	"fmt"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Normalize implements [provider.Adapter]. A delivery holds one item for each
// element of its array, in that order; an element that cannot be read does not
// touch the others.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	body, err := payload.ParseObject(plaintext)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	service, _ := body.Get("service").Text()
	if slices.Contains(skippedServices(), service) {
		return one(provider.Skipped(notAPayment))
	}
	if service != statusService && service != chargeService {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "service is missing or not known"))
	}
	elements, err := array(body)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, err.Error()))
	}
	r := provider.Result{
		Items: make([]provider.Item, 0, len(elements)),
		Drift: body.Unknown("", "service", "companyCode", "payments", "payment"),
	}
	company, companyErr := id(body, "companyCode", true)
	for _, e := range elements {
		item := provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, fmt.Sprint(companyErr))
		if companyErr == nil {
			item = element{Value: e, service: service, company: company}.item(a.table)
		}
		r.Items = append(r.Items, item)
		r.Drift = addDrift(r.Drift, e)
	}
	return r
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

// array returns the batch: the sample names it payments, the field table payment.
func array(body payload.Value) ([]payload.Value, error) {
	batch, other := body.Get("payments"), body.Get("payment")
	if batch.Present() && other.Present() {
		return nil, fmt.Errorf("payments and payment are both there")
	}
	if !batch.Present() {
		batch = other
	}
	if batch.Kind() != payload.Array {
		return nil, fmt.Errorf("payments is missing or not an array")
	}
	return batch.Elements(), nil
}

// addDrift adds the unknown members of an element, each name once.
func addDrift(drift []string, e payload.Value) []string {
	for _, name := range e.Unknown("payments[].", "payId", "authId", "seqNum", "svRefId", "amount", "bankCharges",
		"chargeAmount", "currency", "txnDate", "status", "approval_status", "type") {
		if len(drift) < payload.MaxDrift && !slices.Contains(drift, name) {
			drift = append(drift, name)
		}
	}
	return drift
}
