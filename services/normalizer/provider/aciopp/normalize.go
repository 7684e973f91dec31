package aciopp

import (
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// typePayment is the only type of notification that is about a payment.
const typePayment = "PAYMENT"

// Normalize turns the decrypted body, one notification, into one item.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	root, err := payload.ParseObject(plaintext)
	if err != nil {
		return provider.Result{Items: []provider.Item{
			provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()),
		}}
	}
	return provider.Result{Items: []provider.Item{a.item(root)}, Drift: a.documented.Drift(root)}
}

func (a Adapter) item(root payload.Value) provider.Item {
	word, ok := root.Get("type").Text()
	if !ok || word == "" {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "type is missing or not a text")
	}
	if t, ok := a.skippedType(word); ok {
		return provider.Skipped(t.reason)
	}
	if word != typePayment {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "type is not one that is mapped")
	}
	p := root.Get("payload")
	if p.Kind() != payload.Object {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "payload is missing or not an object")
	}
	return a.payment(root, p)
}

// decision is what the mapping tables say about a notification.
type decision struct {
	operation operation
	group     group
	rule      rule
	method    brandFamily
}

func (a Adapter) payment(root, p payload.Value) provider.Item {
	var r reader
	m := members{
		notification: typePayment,
		action:       r.text(root, "action", optional),
		id:           r.text(p, "id", required),
		word:         r.text(p, "paymentType", required),
		code:         r.text(p.Get("result"), "code", required),
		brand:        r.text(p, "paymentBrand", optional),
		referenced:   r.text(p, "referencedId", optional),
		reference:    r.text(p, "merchantTransactionId", optional),
		account:      r.text(p.Get("authentication"), "entityId", optional),
		at:           r.instant(p, "timestamp"),
		amount:       r.money(p, "amount", "currency"),
		presented:    r.money(p, "presentationAmount", "presentationCurrency"),
		description:  fixedText(p.Get("result").Get("description")),
	}
	if r.problem != nil {
		return provider.Item{Quarantine: r.problem}
	}
	d, detail := a.decide(m)
	if detail != "" {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, detail)
	}
	return provider.Item{Fact: m.fact(d)}
}

// decide looks the notification up in the mapping tables. detail says what no
// table covers; empty when the decision stands.
func (a Adapter) decide(m members) (d decision, detail string) {
	var ok bool
	if d.operation, ok = a.operation(m.word); !ok {
		return decision{}, "paymentType is not one that is mapped"
	}
	if d.group, ok = a.result(m.code); !ok {
		return decision{}, "result.code is in no group"
	}
	d.method = a.brand(m.brand)
	if d.rule, ok = a.rule(d.operation, d.method.family, d.group.verdict); !ok {
		return decision{}, "no mapping for this paymentType with the group of result.code (" + d.group.title + ") and paymentBrand"
	}
	return d, ""
}

// members is what is read from a notification. Nothing else reaches the event:
// the payload also carries names, card data and payable barcodes.
type members struct {
	notification, action  string
	id, word, code, brand string
	referenced, reference string
	account, description  string
	at                    instant
	amount, presented     *eventv1.Money
}

func (m members) fact(d decision) *provider.Fact {
	paymentID := m.id
	if d.operation.refers && m.referenced != "" {
		paymentID = m.referenced
	}
	e := &eventv1.PaymentStatusChanged{
		Kind:                d.operation.kind,
		Direction:           eventv1.Direction_DIRECTION_INBOUND,
		ProviderPaymentId:   paymentID,
		ProviderOperationId: m.id,
		ProviderAccountId:   m.account,
		MerchantReference:   m.reference,
		ActionBy:            d.rule.actionBy,
		ProviderStatus:      m.word + "/" + m.code,
		ProviderType:        m.notification,
		Reason:              &eventv1.Reason{Code: d.group.reason, ProviderCode: m.code, Text: m.description},
		Operation:           d.operation.operation,
		OperationOutcome:    d.rule.outcome,
		Amount:              m.amount,
	}
	setStatus(e, d)
	if d.group.test {
		e.Mode = eventv1.Mode_MODE_TEST
	}
	if d.operation.word == "PA" && d.method.family == vouchers {
		e.Operation = eventv1.Operation_OPERATION_PREPAYMENT
	}
	if m.presented != nil && !same(m.presented, m.amount) {
		e.PresentationAmount = m.presented
	}
	if m.amount != nil || m.presented != nil {
		e.CurrencySource = eventv1.CurrencySource_CURRENCY_SOURCE_PAYLOAD
	}
	if m.brand != "" {
		e.Method = &eventv1.Method{Type: d.method.method, Brand: m.brand}
	}
	if m.at.time != nil {
		e.OccurTime = m.at.time
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		e.OccurTimeMember = "timestamp"
	}
	return &provider.Fact{
		Event:   e,
		Key:     []string{m.notification, m.action, m.id, m.code, m.at.text},
		Payment: []string{paymentID},
		IfPaid:  d.rule.ifPaid,
	}
}

func setStatus(e *eventv1.PaymentStatusChanged, d decision) {
	switch d.operation.kind {
	case eventv1.Kind_KIND_REFUND:
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: d.rule.refund}
	case eventv1.Kind_KIND_DISPUTE:
		e.Status = &eventv1.PaymentStatusChanged_DisputeStatus{DisputeStatus: d.rule.dispute}
	default:
		e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: d.rule.payment}
		e.Final = d.group.verdict == declined && !d.group.soft
	}
}

// same says whether two amounts are one; an absent amount equals none.
func same(a, b *eventv1.Money) bool {
	return a != nil && b != nil && a.GetMinorUnits() == b.GetMinorUnits() && a.GetCurrencyCode() == b.GetCurrencyCode()
}
