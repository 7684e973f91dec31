package webhook

// A body is first, the notification's ID, second, the payment's ID, third, the
// attempt's ID, the middle of its status, the digits of the merchant's reference
// and the end of its status. All IDs have one length, and so have the bodies of a status.
const (
	first  = "{\n    \"id\": \""
	second = "\",\n    \"api_version\": \"1.0\",\n    \"payment_request_id\": \""
	third  = "\",\n    \"transaction_id\": \""

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
