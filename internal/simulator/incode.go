package simulator

import (
	"strings"
	"time"
)

// incode plays Incode's proof of payment, which reads Mexican tax documents.
// Source: https://developer.incode.com/docs/webhooks
func incode() player {
	document := func(cancellation string) func(moment) any {
		return func(m moment) any { return newIncodeBody(m, cancellation) }
	}
	return player{
		id: "incode", standard: "verified", headers: noHeaders,
		payment: random.paymentUUID,
		account: func(string) string { return "" }, // the webhook names none
		scenarios: []scenario{
			{"verified", "the document exists", document("Cancelable sin aceptación")},
			{"canceled", "the document was canceled", document("Cancelado sin aceptación")},
			{"cancellation-pending", "the document is being canceled", document("En proceso")},
		},
	}
}

type incodeBody struct {
	RequestID          string `json:"requestId"`
	RFCIssuer          string `json:"rfcIssuer"`
	IssuerName         string `json:"issuerName"`
	RFCReceiver        string `json:"rfcReceiver"`
	ReceiverName       string `json:"receiverName"`
	FiscalInvoice      string `json:"fiscalInvoice"`
	IssueDate          string `json:"issueDate"`
	CertificationDate  string `json:"certificationDate"`
	RFCPAC             string `json:"rfcPac"`
	TotalCFDI          string `json:"totalCfdi"`
	VoucherEffect      string `json:"voucherEffect"`
	CancellationStatus string `json:"cancellationStatus"`
	ValidationCode     string `json:"validationCode"`
	Status             string `json:"status"`
}

// newIncodeBody has a tax ID that is used in examples, and the one that stands
// for customers who gave none.
func newIncodeBody(m moment, cancellation string) incodeBody {
	document := m.ids.Reference
	if document == "" {
		document = strings.ToUpper(derivedUUID(m.ids.Payment, "document"))
	}
	issued := m.now.Add(-26 * time.Hour).Format("2006-01-02T15:04:05")
	return incodeBody{
		RequestID: m.ids.Payment,
		RFCIssuer: "AAA010101AAA", IssuerName: "EXAMPLE ISSUER SA DE CV",
		RFCReceiver: "XAXX010101000", ReceiverName: "PUBLICO EN GENERAL",
		FiscalInvoice: document, IssueDate: issued, CertificationDate: issued, RFCPAC: "AAA010101AAA",
		TotalCFDI: pesos(m.cents), VoucherEffect: "Ingreso", CancellationStatus: cancellation,
		ValidationCode: "fc" + digits(m.ids.Payment, "validation", 9), Status: "OK",
	}
}

// pesos writes an amount as SAT's verifier does: "$1,962.36".
func pesos(cents int64) string {
	text := decimal(cents)
	if point := len(text) - len(".00"); point > 3 {
		text = text[:point-3] + "," + text[point-3:]
	}
	return "$" + text
}
