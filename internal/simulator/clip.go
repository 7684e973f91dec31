package simulator

import "time"

// clip plays Clip's checkout webhook.
// Source: https://developer.clip.mx/reference/checkout-webhook
func clip() player {
	full := func(resource, status, detail string, change func(*clipBody, moment)) func(moment) any {
		return func(m moment) any { return newClipBody(m, resource, status, detail, change) }
	}
	return player{
		id: "clip", standard: "paid", headers: noHeaders,
		payment: random.paymentUUID,
		account: func(string) string { return "" }, // the webhook names none
		scenarios: []scenario{
			{"created", "a payment link was created", full("CHECKOUT", "CREATED", "Payment Request Created", func(b *clipBody, m moment) {
				b.CreatedAt = clipTime(m.now)
			})},
			{"pending", "the first attempt was declined", full("CHECKOUT", "PENDING", "Payment Pending", func(b *clipBody, m moment) {
				b.PaymentType, b.DeclinedAt = new("CARD"), clipTime(m.now)
			})},
			{"cash", "a cash voucher was issued", full("CHECKOUT", "PENDING", "Payment Pending", func(b *clipBody, m moment) {
				b.PaymentType, b.Barcode, b.CustomerEmail = new("CASH"), new(digits(m.ids.Payment, "barcode", 18)), new("payer@example.com")
			})},
			{"paid", "the payer paid by card", full("CHECKOUT", "COMPLETED", "Payment Completed", func(b *clipBody, m moment) {
				b.PaymentType, b.CompletedAt, b.ReceiptNo = new("CARD"), clipTime(m.now), new("T"+digits(m.ids.Payment, "receipt", 6))
			})},
			{"canceled", "too many attempts were declined", full("CHECKOUT", "CANCELED", "Payment Request Canceled", func(b *clipBody, m moment) {
				b.CancelledAt, b.DeclinedAt = clipTime(m.now), clipTime(m.now)
			})},
			{"expired", "nobody paid in time", full("CHECKOUT", "EXPIRED", "Payment Request Expired", func(b *clipBody, m moment) {
				b.CreatedAt, b.ExpiresAt, b.ExpiredAt = clipTime(m.now.Add(-clipLifetime)), clipTime(m.now), clipTime(m.now)
			})},
			{"refund-created", "the payer disputes the payment", full("REFUND", "CREATED", "Refund Created", refundOf(func(b *clipBody, m moment) {
				b.CreatedAt = clipTime(m.now)
			}))},
			{"refund-approved", "the money went back", full("REFUND", "APPROVED", "Refund Approved", refundOf(func(b *clipBody, m moment) {
				b.CompletedAt = clipTime(m.now)
			}))},
			{"refund-declined", "the refund was declined", full("REFUND", "DECLINED", "Refund Declined", refundOf(func(b *clipBody, m moment) {
				b.DeclinedAt = clipTime(m.now)
			}))},
			{"thin", "something happened; what, must be asked for", func(m moment) any {
				return clipThin{ID: m.ids.Payment, Origin: "checkout-api", EventType: "UPDATE"}
			}},
		},
	}
}

// clipLifetime is how long a payment link is good when nothing else is asked for.
const clipLifetime = 72 * time.Hour

// clipBody has the members in the order of the documentation; nil is null.
type clipBody struct {
	ID               string  `json:"id"`
	APIVersion       string  `json:"api_version"`
	PaymentRequestID string  `json:"payment_request_id"`
	TransactionID    string  `json:"transaction_id"`
	Resource         string  `json:"resource"`
	ResourceStatus   string  `json:"resource_status"`
	DetailType       string  `json:"detail_type"`
	Attempts         int     `json:"attempts"`
	SentDate         *string `json:"sent_date"`
	CreatedAt        *string `json:"created_at"`
	CompletedAt      *string `json:"completed_at"`
	ExpiresAt        *string `json:"expires_at"`
	CancelledAt      *string `json:"cancelled_at"`
	ExpiredAt        *string `json:"expired_at"`
	DeclinedAt       *string `json:"declined_at"`
	PaymentDate      *string `json:"payment_date"`
	MeReferenceID    string  `json:"me_reference_id"`
	ReceiptNo        *string `json:"receipt_no"`
	PaymentType      *string `json:"payment_type"`
	Barcode          *string `json:"barcode"`
	CustomerEmail    *string `json:"customer_email"`
}

type clipThin struct {
	ID        string `json:"id"`
	Origin    string `json:"origin"`
	EventType string `json:"event_type"`
}

func newClipBody(m moment, resource, status, detail string, change func(*clipBody, moment)) *clipBody {
	b := &clipBody{
		ID: m.random.otherUUID(), APIVersion: "1.0",
		PaymentRequestID: m.ids.Payment, TransactionID: m.ids.Operation,
		Resource: resource, ResourceStatus: status, DetailType: detail,
		Attempts: 1, SentDate: clipTime(m.now), CreatedAt: clipTime(m.now.Add(-2 * time.Minute)),
		MeReferenceID: m.reference(),
	}
	if b.TransactionID == "" {
		b.TransactionID = derivedUUID(m.ids.Payment, "attempt")
	}
	b.ExpiresAt = clipTime(m.now.Add(clipLifetime))
	change(b, m)
	return b
}

// refundOf is change for a refund, which knows when the payment was made and no expiry.
func refundOf(change func(*clipBody, moment)) func(*clipBody, moment) {
	return func(b *clipBody, m moment) {
		b.ExpiresAt, b.PaymentDate = nil, clipTime(m.now.Add(-24*time.Hour))
		change(b, m)
	}
}

func clipTime(t time.Time) *string { return new(t.Format("2006-01-02T15:04:05Z")) }
