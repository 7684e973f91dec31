package qitech

import "github.com/paynorm/paynorm/services/normalizer/provider"

const (
	sourceSignature = "https://docs.qitech.com.br/en/documentation/primeiros_passos/teste_de_autenticacao/webhook_v2"
	sourceKeys      = "https://docs.qitech.com.br/en/documentation/primeiros_passos/troca_de_chaves"
	sourceResending = "https://docs.qitech.com.br/notificacoes/reenvio_de_notificacoes"
)

const summary = "Payments of card invoices, by bank slip or by deduction from the payer's salary: waiting to be paid, or paid, " +
	"with the total and what was paid so far. Other notifications of the same product line may come to the same URL; they are acknowledged and not published."

func setup() []string {
	return []string{
		"QI Tech provides the public key that its webhooks are checked with; keys are exchanged with its integration team. Save it as PEM. " +
			"Sources: " + sourceSignature + ", " + sourceKeys,
		"Add the endpoint below to the configuration.",
		"Have `https://HOST/webhooks/qitech/acme` registered as the URL for webhooks. The path is part of what is signed, so a proxy in front of paynorm must not rewrite it. " +
			"Source: " + sourceSignature,
		"Keep the clock of the machine right: a token whose time lies farther than `max_skew` from ours is refused.",
	}
}

const endpointYAML = `- provider: qitech
  merchant: acme
  mode: live
  auth:
    - jwt: {algorithm: ES512, public_key: {file: qitech.pem}, max_skew: 300s}
`

const rotation = "Add a second `jwt` entry with the new public key before QI Tech begins to sign with it, and take the old entry out when no token of the old key comes any more: " +
	"each event tells in `verification.key_id` which entry held."

func gaps() []provider.Gap {
	return []provider.Gap{
		{Text: "Which of QI Tech's signatures an invoice payment carries: its page names none. paynorm expects the one that the same product line documents, " +
			"a JWT in the header `AUTHORIZATION`.", Source: sourceInvoicePayment},
		{Text: "The token that the page prints does not fit the body beside it in any way of writing that body, so it could not be used as a test.", Source: sourceSignature},
		{Text: "The currency. QI Tech operates in Brazil; BRL is implied.", Source: sourceInvoicePayment},
		{Text: "Words for partial payment, expiry, cancelation, refund or chargeback. A partial payment shows in the amounts alone.", Source: sourceInvoicePayment},
		{Text: "Whether `webhook_datetime` stays the same when a notification is sent again; it is not part of the idempotency key. " +
			"A payment that went back to earlier amounts would therefore not be noticed.", Source: sourceInvoicePayment},
		{Text: "Automatic retries, the order of notifications, and the status that counts as received.", Source: sourceResending},
		{Text: "Members come without notice; the page says so. They are reported as schema drift and change nothing.", Source: sourceInvoicePayment},
	}
}
