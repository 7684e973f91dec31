package aciopp

import "github.com/paynorm/paynorm/services/normalizer/provider"

const (
	sourceAdministration = "https://hyperpay.docs.oppwa.com/node/129"
	sourceDelivery       = "https://hyperpay.docs.oppwa.com/tutorials/webhooks"
	sourceTestMessage    = "https://help.allsecure.xyz"
)

const summary = "Notifications of ACI Worldwide's Open Payment Platform (OPPWA), on which PrimeiroPay, PPRO LatAm, HyperPay, Peach, AllSecure and others run: " +
	"authorizations, captures, receipts for cash vouchers, voids, refunds and chargebacks. " +
	"Each is about one operation; paynorm sums the operations of a payment."

func setup() []string {
	return []string{
		"In the platform's user interface, open Administration > Webhooks at the entity whose payments you want, and add a webhook. Source: " + sourceAdministration,
		"URL: `https://HOST/webhooks/aci-opp/acme`. Use port 443 and a certificate with its whole chain.",
		"Types: PAYMENTS. The others are acknowledged and not published. Fields: ALL, or NON_CUSTOMER_DATA to keep names and addresses out of the ledger. " +
			"Wrapper: either; both forms of the body are read. Source: " + sourceAdministration,
		"Copy the secret, 64 hex digits, to where the configuration below finds it, and add the endpoint. " +
			"List your entity IDs in `expect_accounts`: a webhook for any other one is then quarantined.",
		"Test the webhook from there, then activate it: a new one is inactive. The test must be answered with 200, so the endpoint comes first. " +
			"Sources: " + sourceDelivery + ", " + sourceTestMessage,
	}
}

const endpointYAML = `- provider: aci-opp
  merchant: acme
  mode: live
  auth:
    - aes_gcm: {key: {env: ACME_ACI_KEY}} # 64 hex digits
  expect_accounts: ["8ac7a4c8729db6f901729f53968805a5"] # authentication.entityId
`

const rotation = "Each webhook has a secret of its own, and one notification goes to all active webhooks. So add a second `aes_gcm` entry, add a second webhook with the same URL and the new secret, " +
	"switch the first one off, and take its entry out. While both are active each notification comes twice; its second copy gives no second event. " +
	"Keep the old entry for 30 days if deliveries of the first webhook had failed: they are tried again for that long. Source: " + sourceAdministration

func gaps() []provider.Gap {
	return []provider.Gap{
		{Text: "The order of notifications. A payment's state follows the provider's time, not the order of arrival.", Source: sourceWebhooks},
		{Text: "The encryption proves who wrote a body, not when. A recorded request stays valid; the idempotency key makes it harmless.", Source: sourceWebhooks},
		{Text: "The payment types CD (credit) and RB (rebill) are documented; what they do to which payment is not. They are quarantined.", Source: sourceOperations},
		{Text: "What a successful preauthorization means on each brand. Cards hold funds and vouchers are only printed; a brand that paynorm does not list is quarantined.", Source: sourceOXXO},
		{Text: "The published patterns of result codes overlap and are prefixes. A code must have its full form, and the narrower group comes first.", Source: sourceResults},
		{Text: "Which members NON_CUSTOMER_DATA leaves out.", Source: sourceAdministration},
		{Text: "`action` is documented for registrations only.", Source: sourceWebhooks},
		{Text: "What says that a delivery is the same as an earlier one: there is no delivery ID and no count of attempts.", Source: sourceDelivery},
	}
}
