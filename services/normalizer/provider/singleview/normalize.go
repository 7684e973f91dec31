package singleview

import (
	"errors"
	"fmt"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// maxElements is how many payments a batch may hold. Each becomes a message, so
// that a body of the largest size, full of empty elements, would become hundreds
// of thousands. Real ones need about 150 bytes each: 1 MiB holds 7 000.
const maxElements = 10_000

// Normalize implements [provider.Adapter]. A delivery holds one item for each
// element of its array, in that order; an element that cannot be read does not
// touch the others.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	body, err := payload.ParseBatch(plaintext, batch, batchInTables)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	service, _ := body.Get("service").Text()
	if i := slices.IndexFunc(a.skips, func(s *provider.Mapping) bool { return s.ProviderStatus == service }); i >= 0 {
		return one(provider.Item{Skip: &provider.Skip{Reason: notAPayment}, Row: a.skips[i]})
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
		return []provider.Item{provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, err.Error())}
	}
	items := make([]provider.Item, 0, len(elements))
	var r member.Reader
	company := r.Text(body, "companyCode", member.Optional)
	for _, e := range elements {
		if kept, bad := r.Problem(); bad {
			items = append(items, kept)
			continue
		}
		items = append(items, element{Value: e, service: service, company: company}.item(a.table))
	}
	return items
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

// What the array is named: payments in the sample, payment in the field tables.
const (
	batch         = "payments"
	batchInTables = "payment"
)

// array returns the batch.
func array(body payload.Value) ([]payload.Value, error) {
	found, other := body.Get(batch), body.Get(batchInTables)
	if found.Present() && other.Present() {
		return nil, errors.New("payments and payment are both there")
	}
	if !found.Present() {
		found = other
	}
	if found.Kind() != payload.Array {
		return nil, errors.New("payments is missing or not an array")
	}
	elements := found.Elements()
	if len(elements) > maxElements {
		return nil, fmt.Errorf("the batch has %d elements, at most %d are read", len(elements), maxElements)
	}
	return elements, nil
}
