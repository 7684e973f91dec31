package clip

import (
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Where Clip documents its notifications.
const (
	checkoutWebhook = "https://developer.clip.mx/reference/checkout-webhook"
	thinWebhook     = "https://developer.clip.mx/reference/webhookshxo"
	postbackWebhook = "https://developer.clip.mx/docs/conciliacion-de-transacciones-apis-1"
)

// The values of resource and of payment_type.
const (
	checkout = "CHECKOUT"
	refund   = "REFUND"
	card     = "CARD"
	cash     = "CASH"
)

// row is one line of the mapping table. Exactly one of payment and refunded is set.
type row struct {
	resource, status string
	paymentType      string // the payment type that the row is for; "" is any other
	payment          eventv1.PaymentStatus
	refunded         eventv1.RefundStatus
	actionBy         eventv1.ActionBy
	reason           string
	operation        eventv1.Operation
	outcome          eventv1.OperationOutcome
	times            []string // the members that say when, the documented spelling first
	source           string
	shown            *provider.Mapping // the row as people see it
}

// table is the mapping table; the first row that fits decides. It is not changed once it is made.
type table []row

func newTable() table {
	t := table{
		{resource: checkout, status: "CREATED", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING,
			times: []string{"created_at"}, source: checkoutWebhook},
		{resource: checkout, status: "PENDING", paymentType: cash, payment: eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION,
			actionBy: eventv1.ActionBy_ACTION_BY_PAYER, reason: "awaiting_cash",
			operation: eventv1.Operation_OPERATION_PREPAYMENT, outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED,
			times: []string{"sent_date"}, source: checkoutWebhook},
		{resource: checkout, status: "PENDING", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING, reason: "attempt_declined",
			times: []string{"declined_at"}, source: checkoutWebhook},
		{resource: checkout, status: "COMPLETED", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PAID,
			operation: eventv1.Operation_OPERATION_SALE, outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED,
			times: []string{"completed_at"}, source: checkoutWebhook},
		{resource: checkout, status: "CANCELED", payment: eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED, reason: "attempts_exhausted",
			times: []string{"cancelled_at", "canceled_at"}, source: checkoutWebhook},
		{resource: checkout, status: "CANCELLED", payment: eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED, reason: "attempts_exhausted",
			times: []string{"cancelled_at", "canceled_at"}, source: thinWebhook},
		{resource: checkout, status: "EXPIRED", payment: eventv1.PaymentStatus_PAYMENT_STATUS_EXPIRED,
			times: []string{"expired_at"}, source: checkoutWebhook},
		{resource: refund, status: "CREATED", refunded: eventv1.RefundStatus_REFUND_STATUS_PENDING, reason: "customer_dispute",
			operation: eventv1.Operation_OPERATION_REFUND, outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING,
			times: []string{"created_at"}, source: checkoutWebhook},
		{resource: refund, status: "APPROVED", refunded: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED,
			operation: eventv1.Operation_OPERATION_REFUND, outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED,
			times: []string{"completed_at"}, source: checkoutWebhook},
		{resource: refund, status: "DECLINED", refunded: eventv1.RefundStatus_REFUND_STATUS_FAILED,
			operation: eventv1.Operation_OPERATION_REFUND, outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED,
			times: []string{"declined_at"}, source: checkoutWebhook},
	}
	for i := range t {
		t[i].shown = t[i].mapping()
	}
	return t
}

func (t table) find(resource, status, paymentType string) (row, bool) {
	i := slices.IndexFunc(t, func(r row) bool {
		return r.resource == resource && r.status == status && (r.paymentType == "" || r.paymentType == paymentType)
	})
	if i < 0 {
		return row{}, false
	}
	return t[i], true
}

// shape is a notification without resource, told by its members.
type shape struct {
	members    []string
	reason     eventv1.QuarantineReason
	detail     string
	documented bool              // its members are, all of them
	shown      *provider.Mapping // the shape as people see it
}

// checkoutOrigin is the origin of the thin notifications whose id is a
// payment_request_id. Source: thinWebhook
const checkoutOrigin = "checkout-api"

func shapes() []shape {
	return []shape{
		{members: []string{"origin", "event_type"},
			reason: eventv1.QuarantineReason_QUARANTINE_REASON_NEEDS_LOOKUP,
			detail: "a thin notification carries no status; ask Clip for the payment", documented: true,
			shown: &provider.Mapping{ProviderStatus: "thin notification (origin and event_type)", Outcome: "quarantined", Reason: "needs_lookup", Source: thinWebhook}},
		{members: []string{"status_description"},
			reason: eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			detail: "the shape of the postback notification is not public",
			shown:  &provider.Mapping{ProviderStatus: "postback (status_description)", Outcome: "quarantined", Reason: "unmapped", Source: postbackWebhook}},
	}
}

func (a Adapter) shape(body payload.Value) (shape, bool) {
	for _, s := range a.shapes {
		missing := slices.ContainsFunc(s.members, func(name string) bool { return !body.Get(name).Present() })
		if !missing {
			return s, true
		}
	}
	return shape{}, false
}

// method returns the method that a payment_type names, nil for any other.
func method(paymentType string) *eventv1.Method {
	switch paymentType {
	case card:
		return &eventv1.Method{Type: eventv1.MethodType_METHOD_TYPE_CARD}
	case cash:
		return &eventv1.Method{Type: eventv1.MethodType_METHOD_TYPE_CASH_VOUCHER}
	}
	return nil
}

// mapping shows the row to people.
func (r row) mapping() *provider.Mapping {
	m := &provider.Mapping{ProviderStatus: r.resource + " " + r.status, Outcome: r.payment.String(), Reason: r.reason, Source: r.source}
	if r.paymentType != "" {
		m.ProviderStatus += ", payment_type " + r.paymentType
	}
	if r.resource == refund {
		m.Outcome = r.refunded.String()
	}
	return m
}

// mappings is the table for people.
func (a Adapter) mappings() []provider.Mapping {
	var all []provider.Mapping
	for _, r := range a.table {
		all = append(all, *r.shown)
	}
	for _, s := range a.shapes {
		all = append(all, *s.shown)
	}
	return all
}
