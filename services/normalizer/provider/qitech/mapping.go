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
	method   eventv1.MethodType // unspecified: whatever the method
	payment  eventv1.PaymentStatus
	actionBy eventv1.ActionBy
}

// statuses lists the words. A payer has to pay a slip; a deduction from the
// salary happens without anybody acting. A partial payment keeps the word
// processing_payment: only the amounts tell.
func statuses() []status {
	return []status{
		{
			"processing_payment", eventv1.MethodType_METHOD_TYPE_BANK_SLIP,
			eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION, eventv1.ActionBy_ACTION_BY_PAYER,
		},
		{
			"processing_payment", eventv1.MethodType_METHOD_TYPE_PAYROLL_DEDUCTION,
			eventv1.PaymentStatus_PAYMENT_STATUS_PENDING, eventv1.ActionBy_ACTION_BY_UNSPECIFIED,
		},
		{
			"paid", eventv1.MethodType_METHOD_TYPE_UNSPECIFIED,
			eventv1.PaymentStatus_PAYMENT_STATUS_PAID, eventv1.ActionBy_ACTION_BY_UNSPECIFIED,
		},
	}
}

func (a Adapter) status(word string, m eventv1.MethodType) (status, bool) {
	for _, s := range a.statuses {
		if s.word == word && (s.method == eventv1.MethodType_METHOD_TYPE_UNSPECIFIED || s.method == m) {
			return s, true
		}
	}
	return status{}, false
}

// skipReason is the reason of every skip.
const skipReason = "not_a_payment"

// sibling is a type of notification that shares the URL.
type sibling struct {
	word   string
	source string
}

// siblings lists the documented types that are acknowledged and not published.
// A type that is not listed is treated alike: it is not an invoice payment.
func siblings() []sibling {
	return []sibling{
		{"baas.invoice.invoice_status_change", sourceInvoice},
		{"baas.pix_transfer.incoming_pix", sourceOther},
		{"baas.pix_transfer.outgoing_pix", sourceOther},
		{"baas.bill_payment.payment", sourceBillPayment},
		{"baas.bank_slip.occurrence", sourceOther},
		{"baas.bank_slip.requester_profile", sourceOther},
		{"bank_slip.status_change", sourceBankSlip},
	}
}

// mappings is the table for people.
func (a Adapter) mappings() []provider.Mapping {
	var rows []provider.Mapping
	for _, s := range a.statuses {
		if s.method == eventv1.MethodType_METHOD_TYPE_UNSPECIFIED {
			rows = append(rows, provider.Mapping{ProviderStatus: s.word, Outcome: s.payment.String(), Source: sourceInvoicePayment})
			continue
		}
		for _, m := range a.methods {
			if m.methodType == s.method {
				rows = append(rows, provider.Mapping{ProviderStatus: s.word + "/" + m.word, Outcome: s.payment.String(), Source: sourceInvoicePayment})
			}
		}
	}
	for _, s := range a.siblings {
		rows = append(rows, provider.Mapping{ProviderStatus: s.word, Outcome: "skipped", Reason: skipReason, Source: s.source})
	}
	return append(rows,
		provider.Mapping{ProviderStatus: "any other webhook_type", Outcome: "skipped", Reason: skipReason, Source: "synthetic"},
		provider.Mapping{ProviderStatus: "paid, paid_amount 0 of a total above 0", Outcome: "quarantined", Reason: "contradiction", Source: "synthetic"},
		provider.Mapping{ProviderStatus: "any other status, or processing_payment with another method", Outcome: "quarantined", Reason: "unmapped", Source: "synthetic"},
	)
}
