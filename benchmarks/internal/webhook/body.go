package webhook

import "strings"

// status is one of the two kinds of notification: what stands around the IDs.
type status struct{ word, middle, end string }

func kinds() (created, completed status) {
	return status{"CREATED", createdMiddle, createdEnd}, status{"COMPLETED", completedMiddle, completedEnd}
}

func (s *status) length() int {
	return len(beforeID) + len(beforePayment) + len(beforeAttempt) + 3*idLength + len(s.middle) + referenceDigits + len(s.end)
}

// padded returns s with so much more text in detail_type that the body has
// length bytes. That text has no limit, and paynorm must read it to skip it.
func (s status) padded(length int) status {
	const after = "\",\n    \"attempts\""
	detail, rest, _ := strings.Cut(s.middle, after)
	more := max(0, length-s.length())
	s.middle = detail + strings.Repeat(filler, more/len(filler)+1)[:more] + after + rest
	return s
}

const filler = "; nothing else is known of it"

// Shortest returns the length of the shortest body that can be asked for, in
// bytes: that of the longest kind as it is.
func Shortest() int {
	created, completed := kinds()
	return max(created.length(), completed.length())
}

// A body is beforeID, the notification's ID, beforePayment, the payment's ID,
// beforeAttempt, the attempt's ID, the middle of its status, the digits of the
// merchant's reference and the end of its status. All IDs have one length, and
// so have the bodies of a status.
const (
	beforeID      = "{\n    \"id\": \""
	beforePayment = "\",\n    \"api_version\": \"1.0\",\n    \"payment_request_id\": \""
	beforeAttempt = "\",\n    \"transaction_id\": \""

	referenceDigits = 12

	createdMiddle = `",
    "resource": "CHECKOUT",
    "resource_status": "CREATED",
    "detail_type": "Payment Request Created: the link was sent to the customer, who has not opened it yet",
    "attempts": 1,
    "sent_date": "2026-02-22T20:28:27Z",
    "created_at": "2026-02-22T20:28:25Z",
    "completed_at": null,
    "expires_at": "2026-02-25T20:28:25Z",
    "cancelled_at": null,
    "expired_at": null,
    "declined_at": null,
    "payment_date": null,
    "me_reference_id": "online-shop-of-the-merchant/region-north/store-0042/terminal-07/2026/02/22/checkout-link/campaign-winter/customer-9f3a/cart-58c1/version-3/order-`
	createdEnd = `",
    "receipt_no": null,
    "payment_type": null,
    "barcode": null,
    "customer_email": null
}
`

	completedMiddle = `",
    "resource": "CHECKOUT",
    "resource_status": "COMPLETED",
    "detail_type": "Payment Request Completed: the issuer of the card has approved it at the first attempt",
    "attempts": 1,
    "sent_date": "2026-02-22T20:31:07Z",
    "created_at": "2026-02-22T20:28:25Z",
    "completed_at": "2026-02-22T20:31:05Z",
    "expires_at": "2026-02-25T20:28:25Z",
    "cancelled_at": null,
    "expired_at": null,
    "declined_at": null,
    "payment_date": null,
    "me_reference_id": "online-shop-of-the-merchant/region-north/store-0042/terminal-07/2026/02/22/checkout-link/campaign-winter/customer-9f3a/cart-58c1/version-3/order-`
	completedEnd = `",
    "receipt_no": "T96suhh",
    "payment_type": "CARD",
    "barcode": null,
    "customer_email": null
}
`
)
