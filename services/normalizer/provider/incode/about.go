package incode

import "github.com/paynorm/paynorm/services/normalizer/provider"

const (
	authentication = "https://developer.incode.com/docs/authenticating-webhooks-requests"
	webhooksTab    = "https://developer.incode.com/docs/configuration-webhooks-tab"
)

const summary = "The outcome of looking up a Mexican tax document (CFDI) at the tax authority: whether it exists, its total, and whether it was canceled. " +
	"It never says that somebody has paid, so the events are of the kind `KIND_PROOF` and have a `proof_status`, never a `payment_status`."

func setup() []string {
	return []string{
		"Choose a client ID, make a client secret, and add the endpoint below to the configuration.",
		"In Incode's dashboard, open Configuration > Webhooks and enter `https://HOST/webhooks/incode/acme` for the proof of payment callback. " +
			"Source: " + webhooksTab,
		"In Configuration > General, enter `https://HOST/oauth2/incode/acme/token` as authentication URL, and the client ID and secret. " +
			"Incode fetches a token from there and sends it with each webhook. Source: " + authentication,
		"Or, instead of the token, have a fixed header sent and name it in a `header` entry. " +
			"Incode sends it with all of its webhooks. Source: " + webhooks,
	}
}

const endpointYAML = `- provider: incode
  merchant: acme
  mode: live
  auth:
    - oauth2: {client_id: incode, client_secret: {env: ACME_INCODE_SECRET}, token_ttl: 300s}
`

const rotation = "Add a second `oauth2` entry with the new secret, enter that secret in Configuration > General, and take the old entry out " +
	"once its tokens have run out (`token_ttl`). Taking an entry out revokes its tokens at once. A fixed header is replaced in the same way, with a second `header` entry."

func gaps() []provider.Gap {
	return []provider.Gap{
		{Text: "Any `status` but `OK`. Others are quarantined.", Source: webhooks},
		{Text: "The words of `cancellationStatus`, of which the page shows one. The others are the tax authority's; a word that is in neither place " +
			"leaves the proof verified and is reported as schema drift. Letter case makes no difference.", Source: satWords},
		{Text: "The body is not signed: a token or a header that leaks is enough to forge.", Source: authentication},
		{Text: "The currency. MXN is implied, although such documents exist in other currencies.", Source: webhooks},
		{Text: "The time zone of `issueDate` and `certificationDate`, so the event carries the time of receipt.", Source: webhooks},
		{Text: "How long Incode waits for the answer, and what becomes of a notification after the last retry.", Source: webhooks},
		{Text: "Order, and a count of attempts.", Source: webhooks},
	}
}
