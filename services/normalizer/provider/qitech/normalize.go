package qitech

import (
	"strconv"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Normalize turns the body, one notification, into one item. The type is looked
// at before anything else is read: the siblings' data has other members.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	root, err := payload.ParseObject(plaintext)
	if err != nil {
		return provider.Result{Items: []provider.Item{
			provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()),
		}}
	}
	word, ok := root.Get("webhook_type").Text()
	if !ok || word == "" {
		return provider.Result{Items: []provider.Item{
			provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "webhook_type is missing or not a text"),
		}}
	}
	if word != typeInvoicePayment {
		return provider.Result{Items: []provider.Item{provider.Skipped(skipReason)}, Drift: a.envelope.Drift(root)}
	}
	return provider.Result{Items: []provider.Item{a.invoicePayment(root)}, Drift: a.documented.Drift(root)}
}

// invoicePayment reads an invoice payment. payment_date is not used: it is a
// reference date, seen months before the notification and on unpaid payments.
func (a Adapter) invoicePayment(root payload.Value) provider.Item {
	data := root.Get("data")
	if data.Kind() != payload.Object {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "data is missing or not an object")
	}
	var r reader
	m := members{
		id:     r.text(data, "invoice_payment_key", required),
		status: r.text(data, "invoice_payment_status", required),
		method: r.text(data, "invoice_payment_type", optional),
		wallet: r.text(data, "wallet_key", optional),
		at:     r.instant(root, "webhook_datetime"),
		total:  r.money(data, "total_amount"),
		paid:   r.money(data, "paid_amount"),
	}
	if r.problem != nil {
		return provider.Item{Quarantine: r.problem}
	}
	methodType := a.method(m.method)
	s, ok := a.status(m.status, methodType)
	if !ok {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			"no mapping for this invoice_payment_status with this invoice_payment_type")
	}
	if s.payment == eventv1.PaymentStatus_PAYMENT_STATUS_PAID && m.paid != nil && m.paid.GetMinorUnits() == 0 && m.total.GetMinorUnits() > 0 {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION,
			"invoice_payment_status says paid, paid_amount is 0 and total_amount is not")
	}
	return provider.Item{Fact: m.fact(s, methodType)}
}

func (m members) fact(s status, methodType eventv1.MethodType) *provider.Fact {
	e := &eventv1.PaymentStatusChanged{
		Kind:              eventv1.Kind_KIND_PAYMENT,
		Direction:         eventv1.Direction_DIRECTION_INBOUND,
		ProviderPaymentId: m.id,
		ProviderAccountId: m.wallet,
		Status:            &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: s.payment},
		ActionBy:          s.actionBy,
		ProviderStatus:    m.status,
		ProviderType:      typeInvoicePayment,
		Amount:            m.total,
		AmountPaid:        m.paid,
	}
	if m.method != "" {
		e.ProviderStatus += "/" + m.method
	}
	if methodType != eventv1.MethodType_METHOD_TYPE_UNSPECIFIED {
		e.Method = &eventv1.Method{Type: methodType}
	}
	if m.total != nil || m.paid != nil {
		e.CurrencySource = eventv1.CurrencySource_CURRENCY_SOURCE_IMPLIED
	}
	if m.at != nil {
		e.OccurTime = m.at
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		e.OccurTimeMember = "webhook_datetime"
	}
	return &provider.Fact{
		Event: e,
		// Not the time: a notification that is sent again by hand may carry the
		// time of sending. The amounts: a second partial payment repeats the rest.
		Key:     []string{typeInvoicePayment, m.id, m.status, minorUnits(m.paid), minorUnits(m.total)},
		Payment: []string{m.id},
	}
}

// minorUnits writes an amount for the idempotency key; "" when there is none.
func minorUnits(m *eventv1.Money) string {
	if m == nil {
		return ""
	}
	return strconv.FormatInt(m.GetMinorUnits(), 10)
}
