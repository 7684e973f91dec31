package singleview

import (
	"fmt"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// maxElements is how many payments a batch may hold. Each becomes a message, so
// that a body of the largest size, full of empty elements, would become hundreds
// of thousands. Real ones need about 150 bytes each: 1 MiB holds 7 000.
const maxElements = 10_000

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
	return provider.Result{Items: a.items(body, service), Drift: a.documented.Drift(body)}
}

// items reads a batch of payments or of charges.
func (a Adapter) items(body payload.Value, service string) []provider.Item {
	if service != statusService && service != chargeService {
		return []provider.Item{provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "service is missing or not known")}
	}
	elements, err := array(body)
	if err != nil {
		return []provider.Item{invalid(err)}
	}
	items := make([]provider.Item, 0, len(elements))
	company, err := id(body, "companyCode", true)
	for _, e := range elements {
		if err != nil {
			items = append(items, invalid(err))
			continue
		}
		items = append(items, element{Value: e, service: service, company: company}.item(a.table))
	}
	return items
}

func invalid(err error) provider.Item {
	return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, err.Error())
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
	elements := batch.Elements()
	if len(elements) > maxElements {
		return nil, fmt.Errorf("the batch has %d elements, at most %d are read", len(elements), maxElements)
	}
	return elements, nil
}
