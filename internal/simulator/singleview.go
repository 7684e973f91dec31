package simulator

// singleView plays SingleView's payment webhooks: money that goes out.
// Source: https://docs.onesingleview.com/v1.0.4/docs/erp-integration-api-types-statuses
func singleView() player {
	one := func(status, approval int) func(moment) any {
		return func(m moment) any {
			return newSVBody(m, "svWebHookPaymentStatus", newSVPayment(m.ids.Payment, m, status, approval))
		}
	}
	return player{
		id: "singleview", standard: "paid", headers: noHeaders,
		payment: random.paymentNumber,
		account: func(merchant string) string { return "SV" + digits(merchant, "company", 4) },
		scenarios: []scenario{
			{"pending", "the payment is open", one(4, 0)},
			{"on-hold", "the payment waits for the merchant", one(3, 1)},
			{"processing", "the bank works on it", one(2, 3)},
			{"paid", "the money was paid out", one(0, 3)},
			{"failed", "the bank could not pay", one(1, 3)},
			{"rejected", "the payment was not approved", one(3, 4)},
			{"charge", "the bank's charge for a payment", func(m moment) any {
				p := newSVPayment(m.ids.Payment, m, 0, 3)
				p.BankCharges, p.ChargeAmount = "Y", decimal(m.cents/100)
				return newSVBody(m, "svWebHookPaymentCharge", p)
			}},
			{"batch", "three payments in one webhook: paid, failed, processing", func(m moment) any {
				return newSVBody(m, "svWebHookPaymentStatus",
					newSVPayment(m.ids.Payment, m, 0, 3),
					newSVPayment(digits(m.ids.Payment, "second", 12), m, 1, 3),
					newSVPayment(digits(m.ids.Payment, "third", 12), m, 2, 3))
			}},
			{"payroll", "a payroll was approved; no payment", func(m moment) any {
				return svPayroll{
					Service: "svWebHookPayrollApprovalStatus", CompanyCode: m.account, PayrollPayID: m.ids.Payment,
					AuthID: digits(m.ids.Payment, "authorization", 9), SVRefID: digits(m.ids.Payment, "bank", 14), ApprovalStatus: 3,
				}
			}},
		},
	}
}

type svBody struct {
	Service     string      `json:"service"`
	CompanyCode string      `json:"companyCode"`
	Payments    []svPayment `json:"payments"`
}

type svPayroll struct {
	Service        string `json:"service"`
	CompanyCode    string `json:"companyCode"`
	PayrollPayID   string `json:"payrollPayId"`
	AuthID         string `json:"authId"`
	SVRefID        string `json:"svRefId"`
	ApprovalStatus int    `json:"approval_status"`
}

// svPayment has amounts as texts and statuses as numbers, as the samples do.
type svPayment struct {
	PayID          string `json:"payId"`
	AuthID         string `json:"authId"`
	SeqNum         string `json:"seqNum"`
	SVRefID        string `json:"svRefId"`
	Amount         string `json:"amount"`
	BankCharges    string `json:"bankCharges,omitempty"`
	ChargeAmount   string `json:"chargeAmount,omitempty"`
	Currency       string `json:"currency"`
	TxnDate        string `json:"txnDate"`
	Status         int    `json:"status"`
	ApprovalStatus int    `json:"approval_status"`
}

func newSVBody(m moment, service string, payments ...svPayment) svBody {
	return svBody{Service: service, CompanyCode: m.account, Payments: payments}
}

func newSVPayment(id string, m moment, status, approval int) svPayment {
	return svPayment{
		PayID: id, AuthID: digits(id, "authorization", 9), SeqNum: digits(id, "sequence", 15), SVRefID: digits(id, "bank", 14),
		Amount: decimal(m.cents), Currency: "SAR", TxnDate: m.now.Format("2006-01-02T15:04:05Z"),
		Status: status, ApprovalStatus: approval,
	}
}
