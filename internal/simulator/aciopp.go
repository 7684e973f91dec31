package simulator

// aciOPP plays ACI's Open Payment Platform.
// Sources: https://docs.oppwa.com/tutorials/webhooks/integration-guide for the
// shape, https://docs.latam.ppro.com/reference/result-codes for the codes.
func aciOPP() player {
	const success = "000.000.000"
	first := func(paymentType, brand, code string) func(moment) any {
		return func(m moment) any { return newACIBody(m, paymentType, brand, code) }
	}
	followUp := func(paymentType, brand, code string) func(moment) any {
		return func(m moment) any { return newACIBody(m, paymentType, brand, code).refer(m) }
	}
	return player{
		id: "aci-opp", standard: "paid", headers: noHeaders,
		payment: random.paymentHex,
		account: func(merchant string) string { return derivedHex32(merchant, "entity") },
		scenarios: []scenario{
			{"authorized", "funds are held on a card", first("PA", "VISA", success)},
			{"voucher", "a cash voucher was issued (OXXO)", first("PA", "OXXO", success)},
			{"prepayment", "a bank slip was issued (Boleto)", first("PP", "BOLETO", success)},
			{"paid", "a card was debited", first("DB", "VISA", success)},
			{"captured", "held funds were taken", followUp("CP", "VISA", success)},
			{"receipt", "cash was received for a voucher", followUp("RC", "OXXO", success)},
			{"voided", "an authorization was released", func(m moment) any { return newACIBody(m, "RV", "VISA", success).refer(m).withoutAmount() }},
			{"refunded", "the money went back", followUp("RF", "VISA", success)},
			{"refund-pending", "the refund is under way", followUp("RF", "VISA", "000.200.000")},
			{"refund-declined", "the refund was declined", followUp("RF", "VISA", "800.100.151")},
			{"refund-canceled", "the refund was called off", followUp("RF", "VISA", "100.396.101")},
			{"chargeback", "the cardholder contests", followUp("CB", "VISA", "000.100.220")},
			{"chargeback-reversal", "the chargeback was taken back", followUp("CR", "VISA", success)},
			{"pending", "the payer's session is open", first("DB", "VISA", "000.200.000")},
			{"review", "accepted, to be reviewed by hand", first("DB", "VISA", "000.400.020")},
			{"declined", "the bank declined", first("DB", "VISA", "800.100.151")},
			{"uncertain", "a time-out left the outcome open", first("DB", "VISA", "900.100.300")},
			{"canceled", "the payer gave up", first("DB", "VISA", "100.396.101")},
			{"registration", "a card was stored; no payment", registration},
		},
	}
}

type aciBody struct {
	Type    string     `json:"type"`
	Action  string     `json:"action,omitempty"`
	Payload aciPayload `json:"payload"`
}

type aciPayload struct {
	ID                    string            `json:"id"`
	ReferencedID          string            `json:"referencedId,omitempty"`
	PaymentType           string            `json:"paymentType,omitempty"`
	PaymentBrand          string            `json:"paymentBrand"`
	Amount                string            `json:"amount,omitempty"`
	Currency              string            `json:"currency,omitempty"`
	PresentationAmount    string            `json:"presentationAmount,omitempty"`
	PresentationCurrency  string            `json:"presentationCurrency,omitempty"`
	Descriptor            string            `json:"descriptor,omitempty"`
	MerchantTransactionID string            `json:"merchantTransactionId,omitempty"`
	Result                map[string]string `json:"result"`
	Authentication        aciAuthentication `json:"authentication"`
	Card                  *aciCard          `json:"card,omitempty"`
	Timestamp             string            `json:"timestamp"`
	NDC                   string            `json:"ndc"`
}

type aciAuthentication struct {
	EntityID string `json:"entityId"`
}

type aciCard struct {
	BIN         string `json:"bin"`
	Last4Digits string `json:"last4Digits"`
	Holder      string `json:"holder"`
	ExpiryMonth string `json:"expiryMonth"`
	ExpiryYear  string `json:"expiryYear"`
}

func newACIBody(m moment, paymentType, brand, code string) *aciBody {
	currency := "MXN"
	if brand == "BOLETO" {
		currency = "BRL"
	}
	b := &aciBody{Type: "PAYMENT", Payload: aciPayload{
		ID: m.ids.Payment, PaymentType: paymentType, PaymentBrand: brand,
		Amount: decimal(m.cents), Currency: currency, PresentationAmount: decimal(m.cents), PresentationCurrency: currency,
		Descriptor: "Example shop ", MerchantTransactionID: m.reference(),
		Result: map[string]string{
			"code": code, "description": "simulated",
			"randomField" + digits(m.ids.Payment, "field", 9): "Please allow for new unexpected fields to be added",
		},
		Authentication: aciAuthentication{EntityID: m.account},
		Timestamp:      m.now.Format("2006-01-02 15:04:05-0700"),
		NDC:            m.account + "_" + derivedHex32(m.ids.Payment, "session"),
	}}
	if brand == "VISA" {
		b.Payload.Card = &aciCard{BIN: "420000", Last4Digits: "0000", Holder: "Jane Jones", ExpiryMonth: "05", ExpiryYear: "2034"}
	}
	return b
}

// refer makes b an operation of its own on the payment.
func (b *aciBody) refer(m moment) *aciBody {
	b.Payload.ReferencedID, b.Payload.ID = m.ids.Payment, m.ids.Operation
	if b.Payload.ID == "" {
		b.Payload.ID = m.random.otherHex()
	}
	return b
}

// withoutAmount is how a release comes.
func (b *aciBody) withoutAmount() *aciBody {
	p := &b.Payload
	p.Amount, p.Currency, p.PresentationAmount, p.PresentationCurrency = "", "", "", ""
	return b
}

func registration(m moment) any {
	b := newACIBody(m, "", "VISA", "000.000.000").withoutAmount()
	b.Type, b.Action = "REGISTRATION", "CREATED"
	return b
}
