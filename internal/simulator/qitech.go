package simulator

import "encoding/json"

// qiTech plays QI Tech's invoice payments.
// Source: https://docs.qitech.com.br
func qiTech() player {
	payment := func(method, status string, paid func(total int64) int64) func(moment) any {
		return func(m moment) any {
			return newQIBody(m, "baas.invoice.invoice_payment_status_change", qiPayment{
				WalletKey: m.account, InvoicePaymentKey: m.ids.Payment,
				TotalAmount: json.Number(decimal(m.cents)), PaidAmount: json.Number(decimal(paid(m.cents))),
				PaymentDate: m.now.Format("2006-01-02"), InvoicePaymentType: method, InvoicePaymentStatus: status,
			})
		}
	}
	nothing := func(int64) int64 { return 0 }
	half := func(total int64) int64 { return total / 2 }
	all := func(total int64) int64 { return total }
	return player{
		id: "qitech", standard: "paid",
		payment: random.paymentUUID,
		account: func(merchant string) string { return derivedUUID(merchant, "wallet") },
		headers: func(account string) headerValues {
			return headerValues{"Api-Client-Key": derivedUUID(account, "client")}
		},
		scenarios: []scenario{
			{"slip", "a bank slip waits to be paid", payment("bank_slip", "processing_payment", nothing)},
			{"payroll", "a deduction from the salary is on its way", payment("payroll_discount", "processing_payment", nothing)},
			{"partial", "half was paid so far", payment("payroll_discount", "processing_payment", half)},
			{"paid", "everything was paid", payment("bank_slip", "paid", all)},
			{"sibling", "another kind of notification for the same URL", func(m moment) any {
				return newQIBody(m, "baas.invoice.invoice_status_change", qiInvoice{
					InvoiceKey: m.ids.Payment, TotalAmount: json.Number(decimal(m.cents)), PaidAmount: "0.00",
					ClosingDate: m.now.AddDate(0, 0, -5).Format("2006-01-02"), DueDate: m.now.AddDate(0, 0, 5).Format("2006-01-02"),
					InvoiceStatus: "processing_payment",
				})
			}},
		},
	}
}

type qiBody struct {
	WebhookType     string `json:"webhook_type"`
	WebhookDatetime string `json:"webhook_datetime"`
	Data            any    `json:"data"`
}

// qiPayment has amounts as JSON numbers in reais.
type qiPayment struct {
	WalletKey            string      `json:"wallet_key"`
	InvoicePaymentKey    string      `json:"invoice_payment_key"`
	TotalAmount          json.Number `json:"total_amount"`
	PaidAmount           json.Number `json:"paid_amount"`
	PaymentDate          string      `json:"payment_date"`
	InvoicePaymentType   string      `json:"invoice_payment_type"`
	InvoicePaymentStatus string      `json:"invoice_payment_status"`
}

type qiInvoice struct {
	InvoiceKey    string      `json:"invoice_key"`
	TotalAmount   json.Number `json:"total_amount"`
	PaidAmount    json.Number `json:"paid_amount"`
	ClosingDate   string      `json:"closing_date"`
	DueDate       string      `json:"due_date"`
	InvoiceStatus string      `json:"invoice_status"`
}

func newQIBody(m moment, kind string, data any) qiBody {
	return qiBody{WebhookType: kind, WebhookDatetime: m.now.Format("2006-01-02T15:04:05.000Z"), Data: data}
}
