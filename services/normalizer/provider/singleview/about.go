package singleview

import "github.com/paynorm/paynorm/services/normalizer/provider"

const companyPage = "https://docs.onesingleview.com/docs/erp-integration-api-configuring-masters"

const summary = "Batches about payments that a company makes: each element tells the status of one payout, or the bank's charge for it. " +
	"The money goes out, so the events are `DIRECTION_OUTBOUND`; an element that cannot be read is quarantined alone."

func setup() []string {
	return []string{
		"Make a random secret of at least 24 characters, put it where the configuration below finds it, and add the endpoint. " +
			"List your company codes in `expect_accounts`: a batch for any other one is then quarantined.",
		"Give SingleView `https://HOST/webhooks/singleview/acme?token=SECRET` twice, as `callBackPaymentStatusUrl` and as `callBackPaymentChargeUrl` " +
			"of the company, in the request to `svGrpCmpService` that registers it. Source: " + companyPage,
		"If SingleView tells you the addresses that it sends from, add a `source_ip` entry; then both must hold.",
		"The secret stands in the URL, so keep query strings out of the logs of everything between SingleView and paynorm.",
	}
}

const endpointYAML = `- provider: singleview
  merchant: acme
  mode: live
  auth:
    - url_token: {secret: {env: ACME_SV_TOKEN}}
    - source_ip: {cidrs: ["203.0.113.0/24"]} # leave out when the addresses are not known
  expect_accounts: [SV0001] # companyCode
`

const rotation = "Add a second `url_token` entry; both are accepted from then on. Register the URLs with the new secret, and take the old entry out " +
	"when `verification.key_id` of new events shows the new one only. Do not refuse deliveries in between: three discarded events switch the webhook off."

func gaps() []provider.Gap {
	return []provider.Gap{
		{Text: "How webhooks are authenticated: nothing is documented. Keys and signatures exist for calls to SingleView only.", Source: webhookPage},
		{Text: "The HTTP status of the acknowledgement; only its body is documented. paynorm answers 200.", Source: webhookPage},
		{Text: "The types of members: the tables say text, the samples show numbers. Both are read, and digits are kept as written.", Source: webhookPage},
		{Text: "The name of the array, `payments` in the samples and `payment` in the tables. Both are read, not both at once.", Source: webhookPage},
		{Text: "What `approval_status` does to a payment. A rejected one that is on hold or open counts as failed; " +
			"a rejected one that is completed is a contradiction, and is quarantined.", Source: codesPage},
		{Text: "How long SingleView waits for the answer, and the order of deliveries.", Source: webhookPage},
		{Text: "Refunds, returned payouts and partial payouts have no words.", Source: codesPage},
	}
}
