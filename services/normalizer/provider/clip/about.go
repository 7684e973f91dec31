package clip

import "github.com/paynorm/paynorm/services/normalizer/provider"

const summary = "Notifications of the Checkout API: a payment link was made, an attempt was declined, the payer got a cash voucher, paid, " +
	"gave up or came too late, or a charge was disputed or refunded. They name a payment and its status, " +
	"never an amount, a currency or a merchant."

func setup() []string {
	return []string{
		"Make a random secret of at least 24 characters, put it where the configuration below finds it, and add the endpoint.",
		"Clip takes the URL with each payment link, not in its dashboard: give `https://HOST/webhooks/clip/acme?token=SECRET` as `webhook_url` " +
			"in the request that makes the link. Source: " + checkoutWebhook,
		"The secret stands in the URL, so keep query strings out of the logs of everything between Clip and paynorm.",
		"Do not enter this URL for the Postback Webhook, which is for Clip's other products: its shape is not public, " +
			"so each of its notifications ends in the quarantine. Source: " + postbackWebhook,
		"Make a link in earnest and look for its event: the merchant's own reference shows as `merchant_reference`.",
	}
}

const endpointYAML = `- provider: clip
  merchant: acme
  mode: live
  auth:
    - url_token: {secret: {env: ACME_CLIP_TOKEN}}
`

const rotation = "Add a second `url_token` entry; both are accepted from then on. Give the URL with the new secret to all links that are made from now on. " +
	"Links keep the URL that they were made with, so take the old entry out only when no such link can be paid, disputed or refunded any more."

func gaps() []provider.Gap {
	return []provider.Gap{
		{Text: "No signature, shared secret or list of addresses is documented. Whoever knows the URL can forge a notification, " +
			"which is why the events say that nothing covers the body. Look a payment up at Clip before you ship for it.", Source: checkoutWebhook},
		{Text: "There is no amount and no currency; `amount` is left out.", Source: checkoutWebhook},
		{Text: "The answer that Clip expects, its patience and its schedule of retries.", Source: checkoutWebhook},
		{Text: "Whether `id` stays the same when a notification is sent again; it is not part of the idempotency key.", Source: checkoutWebhook},
		{Text: "The order of notifications. A `PENDING` that comes after `COMPLETED` changes nothing.", Source: checkoutWebhook},
		{Text: "A newer page describes a notification that has an ID and no status. It is quarantined with `needs_lookup`: only a call to Clip " +
			"could say what happened, and paynorm makes none.", Source: thinWebhook},
		{Text: "Both spellings of canceled occur, in words and in member names; both are read.", Source: thinWebhook},
	}
}
