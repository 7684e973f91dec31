package clip

import (
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// Normalize implements [provider.Adapter]. A delivery holds one item.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	body, err := payload.ParseObject(plaintext)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	if !body.Get("resource").Present() {
		return a.withoutResource(body)
	}
	r := one(a.notification(body))
	r.Drift = a.documented.Drift(body)
	return r
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

// withoutResource is what becomes of a notification in another shape.
func (a Adapter) withoutResource(body payload.Value) provider.Result {
	var m member.Reader
	payment := m.Text(body, "payment_request_id", member.Optional)
	s, ok := a.shape(body)
	if !ok {
		r := one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			"resource is missing, and the shape is none that is known", payment))
		r.Drift = a.documented.Drift(body)
		return r
	}
	if origin, _ := body.Get("origin").Text(); s.documented && origin == checkoutOrigin {
		payment = m.Text(body, "id", member.Optional)
	}
	r := one(provider.Quarantined(s.reason, s.detail, payment))
	r.Items[0].Row = s.shown
	if s.documented {
		r.Drift = a.thin.Drift(body)
	}
	return r
}

// notification reads the full notification of the Checkout API.
func (a Adapter) notification(body payload.Value) provider.Item {
	var r member.Reader
	payment := r.Text(body, "payment_request_id", member.Required)
	attempt := r.Text(body, "transaction_id", member.Optional)
	reference := r.Text(body, "me_reference_id", member.Optional)
	resource, _ := body.Get("resource").Text()
	status, _ := body.Get("resource_status").Text()
	paymentType, _ := body.Get("payment_type").Text()
	m, ok := a.table.find(resource, status, paymentType)
	if !ok {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			"resource and resource_status are in no row of the mapping table", payment)
	}
	e := m.event()
	setTime(&r, e, body, m.times)
	if kept, bad := r.Problem(payment); bad {
		return kept
	}
	e.ProviderPaymentId, e.ProviderAttemptId, e.MerchantReference = payment, attempt, reference
	e.Method = method(paymentType)
	return provider.Item{Row: m.shown, Fact: &provider.Fact{
		Event:   e,
		Key:     []string{payment, attempt, resource, status},
		Payment: []string{payment},
	}}
}

// event returns what the row says.
func (r row) event() *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind:             eventv1.Kind_KIND_PAYMENT,
		Direction:        eventv1.Direction_DIRECTION_INBOUND,
		Status:           &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: r.payment},
		ActionBy:         r.actionBy,
		ProviderType:     r.resource,
		ProviderStatus:   r.status,
		Operation:        r.operation,
		OperationOutcome: r.outcome,
	}
	if r.resource == refund {
		e.Kind = eventv1.Kind_KIND_REFUND
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: r.refunded}
	}
	if r.reason != "" {
		e.Reason = &eventv1.Reason{Code: r.reason}
	}
	return e
}

// setTime takes the instant from the first of members that is there; without
// one the event has none.
func setTime(r *member.Reader, e *eventv1.PaymentStatusChanged, body payload.Value, members []string) {
	for _, name := range members {
		if at := r.Instant(body, name); at != nil {
			e.OccurTime = at
			e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
			e.OccurTimeMember = name
			return
		}
	}
}
