package aciopp

import (
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
	"google.golang.org/protobuf/types/known/timestamppb"
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
		return provider.Item{Skip: &provider.Skip{Reason: t.Reason}, Row: t}
	}
	if word != typePayment {
		return a.unmapped("type is not one that is mapped")
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
	shown     shown
}

func (a Adapter) payment(root, p payload.Value) provider.Item {
	var r member.Reader
	referenced := r.Text(p, "referencedId", member.Optional)
	if kept, bad := r.Problem(); bad {
		return kept // Which payment it is about cannot be told.
	}
	result := p.Get("result")
	m := members{
		action:      r.Text(root, "action", member.Optional),
		id:          r.Text(p, "id", member.Required),
		word:        r.Text(p, "paymentType", member.Required),
		code:        code(&r, result),
		brand:       r.Text(p, "paymentBrand", member.Optional),
		referenced:  referenced,
		reference:   r.Text(p, "merchantTransactionId", member.Optional),
		account:     r.Text(p.Get("authentication"), "entityId", member.Optional),
		at:          r.Instant(p, "timestamp"),
		amount:      amount(&r, p, "amount", "currency"),
		presented:   amount(&r, p, "presentationAmount", "presentationCurrency"),
		description: fixedText(result.Get("description")),
	}
	kept, bad := r.Problem(m.payment(a))
	if !bad {
		d, detail := a.decide(m)
		if detail == "" {
			return provider.Item{Fact: m.fact(a, d), Row: d.shown.row}
		}
		kept = a.unmapped(detail, m.payment(a))
	}
	switch g, _ := a.result(m.code); {
	case g.test:
		kept.Quarantine.Mode = eventv1.Mode_MODE_TEST
	case m.code == "":
		kept.Quarantine.Payment = nil // Whether it is one of the test mode cannot be told.
	}
	return kept
}

// unmapped is an item that no row of the tables covers.
func (a Adapter) unmapped(detail string, payment ...string) provider.Item {
	kept := provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, detail, payment...)
	kept.Row = a.others
	return kept
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
	d.shown = d.rule.shown[d.group.reason]
	return d, ""
}

// members is what is read from a notification. Nothing else reaches the event:
// the payload also carries names, card data and payable barcodes.
type members struct {
	action                string
	id, word, code, brand string
	referenced, reference string
	account, description  string
	at                    *timestamppb.Timestamp
	amount, presented     *eventv1.Money
}

// payment is the ID of the payment that the notification is about, "" when it
// cannot be read. What referencedId names is the original operation by the
// documentation; only what begins a payment is one of its own in any case.
func (m members) payment(a Adapter) string {
	if o, ok := a.operation(m.word); ok && !o.refers || m.referenced == "" {
		return m.id
	}
	return m.referenced
}

func (m members) fact(a Adapter, d decision) *provider.Fact {
	paymentID := m.payment(a)
	e := &eventv1.PaymentStatusChanged{
		Kind:                d.operation.kind,
		Direction:           eventv1.Direction_DIRECTION_INBOUND,
		ProviderPaymentId:   paymentID,
		ProviderOperationId: m.id,
		ProviderAccountId:   m.account,
		MerchantReference:   m.reference,
		ActionBy:            d.rule.actionBy,
		ProviderStatus:      m.word + "/" + m.code,
		ProviderType:        typePayment,
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
	at := ""
	if m.at != nil {
		at = m.at.AsTime().Format(time.RFC3339Nano)
		e.OccurTime = m.at
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		e.OccurTimeMember = "timestamp"
	}
	return &provider.Fact{
		Event:   e,
		Key:     []string{typePayment, m.action, m.id, m.code, at},
		Payment: []string{paymentID},
		IfPaid:  d.rule.ifPaid, IfPaidRow: d.shown.ifPaid,
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
