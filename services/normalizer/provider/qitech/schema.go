package qitech

import (
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// invoicePaymentSchema is what QI Tech documents of an invoice payment. It
// announces that there will be more members, so drift is to be expected.
// Source: https://docs.qitech.com.br/en/documentation/cartao_pos_pago/faturas/webhooks/pagamento_da_fatura
func invoicePaymentSchema(a Adapter) schema.Schema {
	statusWord := func(word string) bool {
		return slices.ContainsFunc(a.statuses, func(s status) bool { return s.word == word })
	}
	methodWord := func(word string) bool {
		return a.method(word) != eventv1.MethodType_METHOD_TYPE_UNSPECIFIED
	}
	return schema.New(
		schema.Member{Name: "webhook_type", Kinds: schema.Text},
		schema.Member{Name: "webhook_datetime", Kinds: schema.Text},
		schema.Member{Name: "data", Kinds: schema.Object, Inner: []schema.Member{
			{Name: "wallet_key", Kinds: schema.Text},
			{Name: "invoice_payment_key", Kinds: schema.Text},
			{Name: "total_amount", Kinds: schema.Number},
			{Name: "paid_amount", Kinds: schema.Number},
			{Name: "payment_date", Kinds: schema.Text},
			{Name: "invoice_payment_type", Kinds: schema.Text, Known: methodWord},
			{Name: "invoice_payment_status", Kinds: schema.Text, Known: statusWord},
		}},
	)
}

// envelopeSchema is what the notifications that are not published have in
// common; key, status and event_datetime are those of the older envelope.
// Sources: https://docs.qitech.com.br and https://docs.qitech.com.br/webhooks/boletos
func envelopeSchema(a Adapter) schema.Schema {
	typeWord := func(word string) bool {
		return a.skip(word) != a.others.notAPayment
	}
	return schema.New(
		schema.Member{Name: "webhook_type", Kinds: schema.Text, Known: typeWord},
		schema.Member{Name: "webhook_datetime", Kinds: schema.Text},
		schema.Member{Name: "event_datetime", Kinds: schema.Text},
		schema.Member{Name: "key", Kinds: schema.Text},
		schema.Member{Name: "status", Kinds: schema.Text},
		schema.Member{Name: "data", Kinds: schema.Object},
	)
}
