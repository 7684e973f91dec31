package qitech

import (
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
	"google.golang.org/protobuf/types/known/timestamppb"
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
		return provider.Result{
			Items: []provider.Item{{Skip: &provider.Skip{Reason: skipReason}, Row: a.skip(word)}},
			Drift: a.envelope.Drift(root),
		}
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
	var r member.Reader
	m := members{
		id:     r.Text(data, "invoice_payment_key", member.Required),
		method: r.Text(data, "invoice_payment_type", member.Optional),
		wallet: r.Text(data, "wallet_key", member.Optional),
		at:     r.Instant(root, "webhook_datetime"),
		total:  r.Amount(data, "total_amount", currency),
		paid:   r.Amount(data, "paid_amount", currency),
	}
	if kept, bad := r.Problem(m.id); bad {
		return kept
	}
	// One that is not there, or no text, is in no row of the table.
	m.status, _ = data.Get("invoice_payment_status").Text()
	s, ok := a.status(m.status, m.method)
	if !ok {
		kept := provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED,
			"no mapping for this invoice_payment_status with this invoice_payment_type", m.id)
		kept.Row = a.others.unmapped
		return kept
	}
	if s.payment == eventv1.PaymentStatus_PAYMENT_STATUS_PAID && m.paid != nil && m.paid.GetMinorUnits() == 0 && m.total.GetMinorUnits() > 0 {
		kept := provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION,
			"invoice_payment_status says paid, paid_amount is 0 and total_amount is not", m.id)
		kept.Row = a.others.contradiction
		return kept
	}
	return provider.Item{Row: s.shown, Fact: m.fact(s, a.method(m.method))}
}

// currency of all amounts: the payload names none, QI Tech operates in Brazil only.
const currency = "BRL"

// members is what is read from an invoice payment.
type members struct {
	id, status, method, wallet string
	at                         *timestamppb.Timestamp
	total, paid                *eventv1.Money
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
	if s.method != "" { // else the status alone decides
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
		Key:     []string{typeInvoicePayment, m.id, m.status, money.Minor(m.paid), money.Minor(m.total)},
		Payment: []string{m.id},
	}
}
