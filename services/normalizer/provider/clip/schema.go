package clip

import (
	"slices"

	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// notificationSchema is what Clip documents of the full notification. Of the
// member for cancelation, both spellings occur.
// Source: https://developer.clip.mx/reference/checkout-webhook
func notificationSchema(t table) schema.Schema {
	status := func(word string) bool {
		return slices.ContainsFunc(t, func(r row) bool { return r.status == word })
	}
	members := []schema.Member{
		{Name: "id", Kinds: schema.Text},
		{Name: "api_version", Kinds: schema.Text},
		{Name: "payment_request_id", Kinds: schema.Text},
		{Name: "transaction_id", Kinds: schema.Text},
		{Name: "resource", Kinds: schema.Text, Known: schema.OneOf(checkout, refund)},
		{Name: "resource_status", Kinds: schema.Text, Known: status},
		{Name: "detail_type", Kinds: schema.Text},
		{Name: "attempts", Kinds: schema.Number},
	}
	for _, name := range []string{
		"sent_date", "created_at", "completed_at", "expires_at", "cancelled_at", "canceled_at", "expired_at",
		"declined_at", "payment_date", "me_reference_id", "receipt_no", "barcode", "customer_email",
	} {
		members = append(members, schema.Member{Name: name, Kinds: schema.Text})
	}
	return schema.New(append(members,
		schema.Member{Name: "payment_type", Kinds: schema.Text, Known: schema.OneOf(card, cash)})...)
}

// thinSchema is what Clip documents of the notification without a status, whose
// words differ between its pages.
// Source: https://developer.clip.mx/reference/webhookshxo
func thinSchema() schema.Schema {
	return schema.New(
		schema.Member{Name: "id", Kinds: schema.Text},
		schema.Member{Name: "origin", Kinds: schema.Text, Known: schema.OneOf(checkoutOrigin, "payments-api", "pinpad-payments-api", "pinpad-api")},
		schema.Member{Name: "event_type", Kinds: schema.Text, Known: schema.OneOf("INSERT", "UPDATE", "PINPAD_INTENT_STATUS_CHANGED")},
	)
}
