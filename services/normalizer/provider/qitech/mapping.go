package qitech

import (
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

const (
	sourceInvoicePayment = "https://docs.qitech.com.br/en/documentation/cartao_pos_pago/faturas/webhooks/pagamento_da_fatura"
	sourceInvoice        = "https://docs.qitech.com.br/en/documentation/cartao_pos_pago/faturas/webhooks/fatura"
	sourceBillPayment    = "https://docs.qitech.com.br/en/documentation/baas/cobranca/webhooks"
	sourceBankSlip       = "https://docs.qitech.com.br/webhooks/boletos"
	sourceOther          = "https://docs.qitech.com.br"
)

// typeInvoicePayment is the only webhook_type that is about a payment.
const typeInvoicePayment = "baas.invoice.invoice_payment_status_change"

// method is a word of invoice_payment_type.
type method struct {
	word       string
	methodType eventv1.MethodType
}

// methods lists the words; the manuals spell the bank slip in two ways.
func methods() []method {
	return []method{
		{"bank_slip", eventv1.MethodType_METHOD_TYPE_BANK_SLIP},
		{"bankslip", eventv1.MethodType_METHOD_TYPE_BANK_SLIP},
		{"payroll_discount", eventv1.MethodType_METHOD_TYPE_PAYROLL_DEDUCTION},
	}
}

func (a Adapter) method(word string) eventv1.MethodType {
	for _, m := range a.methods {
		if m.word == word {
			return m.methodType
		}
	}
	return eventv1.MethodType_METHOD_TYPE_UNSPECIFIED
}

// status is a word of invoice_payment_status, and what it becomes.
type status struct {
	word     string
	method   string // a word of invoice_payment_type; empty: whatever the method
	payment  eventv1.PaymentStatus
	actionBy eventv1.ActionBy
	shown    *provider.Mapping // the row as people see it
}

// statuses lists the words. A payer has to pay a slip; a deduction from the
// salary happens without anybody acting. A partial payment keeps the word
// processing_payment: only the amounts tell.
func statuses() []status {
	const (
		action, payer = eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION, eventv1.ActionBy_ACTION_BY_PAYER
		pending, paid = eventv1.PaymentStatus_PAYMENT_STATUS_PENDING, eventv1.PaymentStatus_PAYMENT_STATUS_PAID
	)
	all := []status{
		{word: "processing_payment", method: "bank_slip", payment: action, actionBy: payer},
		{word: "processing_payment", method: "bankslip", payment: action, actionBy: payer},
		{word: "processing_payment", method: "payroll_discount", payment: pending},
		{word: "paid", payment: paid},
	}
	for i, s := range all {
		words := s.word
		if s.method != "" {
			words += "/" + s.method
		}
		all[i].shown = &provider.Mapping{ProviderStatus: words, Outcome: s.payment.String(), Source: sourceInvoicePayment}
	}
	return all
}

func (a Adapter) status(word, method string) (status, bool) {
	for _, s := range a.statuses {
		if s.word == word && (s.method == "" || s.method == method) {
			return s, true
		}
	}
	return status{}, false
}

// skipReason is the reason of every skip.
const skipReason = "not_a_payment"

// skips lists the documented types of notification that share the URL, and are
// acknowledged and not published.
func skips() []*provider.Mapping {
	var all []*provider.Mapping
	for _, s := range []struct{ word, source string }{
		{"baas.invoice.invoice_status_change", sourceInvoice},
		{"baas.pix_transfer.incoming_pix", sourceOther},
		{"baas.pix_transfer.outgoing_pix", sourceOther},
		{"baas.bill_payment.payment", sourceBillPayment},
		{"baas.bank_slip.occurrence", sourceOther},
		{"baas.bank_slip.requester_profile", sourceOther},
		{"bank_slip.status_change", sourceBankSlip},
	} {
		all = append(all, &provider.Mapping{ProviderStatus: s.word, Outcome: "skipped", Reason: skipReason, Source: s.source})
	}
	return all
}

// others is what becomes of the words that no table lists.
type others struct {
	notAPayment   *provider.Mapping // a type that is not listed: it is no invoice payment, either
	contradiction *provider.Mapping
	unmapped      *provider.Mapping
}

func newOthers() others {
	return others{
		notAPayment:   &provider.Mapping{ProviderStatus: "any other webhook_type", Outcome: "skipped", Reason: skipReason, Source: "synthetic"},
		contradiction: &provider.Mapping{ProviderStatus: "paid, paid_amount 0 of a total above 0", Outcome: "quarantined", Reason: "contradiction", Source: "synthetic"},
		unmapped:      &provider.Mapping{ProviderStatus: "any other status, or processing_payment with another method", Outcome: "quarantined", Reason: "unmapped", Source: "synthetic"},
	}
}

// skip returns the row of a type of notification that is no invoice payment.
func (a Adapter) skip(word string) *provider.Mapping {
	for _, s := range a.skips {
		if s.ProviderStatus == word {
			return s
		}
	}
	return a.others.notAPayment
}

// mappings is the table for people.
func (a Adapter) mappings() []provider.Mapping {
	var rows []provider.Mapping
	for _, s := range a.statuses {
		rows = append(rows, *s.shown)
	}
	for _, s := range a.skips {
		rows = append(rows, *s)
	}
	return append(rows, *a.others.notAPayment, *a.others.contradiction, *a.others.unmapped)
}
