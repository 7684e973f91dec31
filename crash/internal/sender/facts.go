package sender

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/paynorm/paynorm/crash/internal/history"
)

// body has the members of all providers that say what a webhook is about. It is
// made without the adapters, so that a fault in them shows.
type body struct {
	// Clip, and its thin form.
	PaymentRequestID string `json:"payment_request_id"`
	TransactionID    string `json:"transaction_id"`
	Resource         string `json:"resource"`
	ResourceStatus   string `json:"resource_status"`
	// ACI.
	Type    string `json:"type"`
	Action  string `json:"action"`
	Payload struct {
		ID     string `json:"id"`
		Result struct {
			Code string `json:"code"`
		} `json:"result"`
		Timestamp string `json:"timestamp"`
	} `json:"payload"`
	// QI Tech.
	WebhookType string `json:"webhook_type"`
	Data        struct {
		Key    string      `json:"invoice_payment_key"`
		Status string      `json:"invoice_payment_status"`
		Paid   json.Number `json:"paid_amount"`
		Total  json.Number `json:"total_amount"`
	} `json:"data"`
	// Incode.
	RequestID          string `json:"requestId"`
	Status             string `json:"status"`
	CancellationStatus string `json:"cancellationStatus"`
	// SingleView.
	Service     string `json:"service"`
	CompanyCode string `json:"companyCode"`
	Payments    []struct {
		PayID        string `json:"payId"`
		RefID        string `json:"svRefId"`
		Number       string `json:"seqNum"`
		Status       int    `json:"status"`
		Approval     int    `json:"approval_status"`
		Amount       string `json:"amount"`
		ChargeAmount string `json:"chargeAmount"`
	} `json:"payments"`
}

// items says what a webhook that the simulator made must lead to. The members
// of the keys are those that the contract names for each provider.
func items(provider string, plaintext []byte) ([]history.Item, error) {
	var b body
	if err := json.Unmarshal(plaintext, &b); err != nil {
		return nil, fmt.Errorf("%s: %w", provider, err)
	}
	fact := func(key ...any) []history.Item {
		return []history.Item{{Outcome: history.Event, Fact: join(provider, key...)}}
	}
	switch provider {
	case "clip":
		if b.ResourceStatus == "" { // it only says that something happened
			return []history.Item{{Outcome: history.Quarantine}}, nil
		}
		return fact(b.PaymentRequestID, b.TransactionID, b.Resource, b.ResourceStatus), nil
	case "aci-opp":
		if b.Type != "PAYMENT" {
			return []history.Item{{Outcome: history.Skip}}, nil
		}
		return fact(b.Type, b.Action, b.Payload.ID, b.Payload.Result.Code, b.Payload.Timestamp), nil
	case "qitech":
		if b.Data.Key == "" { // about an invoice, not a payment
			return []history.Item{{Outcome: history.Skip}}, nil
		}
		return fact(b.WebhookType, b.Data.Key, b.Data.Status, b.Data.Paid, b.Data.Total), nil
	case "incode":
		return fact(b.RequestID, b.Status, b.CancellationStatus), nil
	case "singleview":
		var all []history.Item
		for _, p := range b.Payments {
			all = append(all, fact(b.Service, b.CompanyCode, p.PayID, p.RefID, p.Number, p.Status, p.Approval, p.Amount, p.ChargeAmount)...)
		}
		return all, nil
	}
	return nil, fmt.Errorf("no facts are known of provider %q", provider)
}

func join(provider string, key ...any) string {
	var b strings.Builder
	b.WriteString(provider)
	for _, k := range key {
		fmt.Fprintf(&b, "|%v", k)
	}
	return b.String()
}
