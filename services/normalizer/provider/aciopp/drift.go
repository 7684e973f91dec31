package aciopp

import (
	"slices"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/payload"
)

// drift lists the members that the documentation does not know. The platform
// adds a member randomField with changing digits to result on purpose, to show
// that unknown members must pass; it is not drift.
func drift(root payload.Value) []string {
	p := root.Get("payload")
	names := root.Unknown("", "type", "action", "payload")
	names = append(names, p.Unknown("payload.", payloadMembers()...)...)
	names = append(names, p.Get("result").Unknown("payload.result.", "code", "description", "avsResponse", "cvvResponse", "parameterErrors")...)
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.HasPrefix(name, "payload.result.randomField")
	})
}

// payloadMembers lists the documented members of payload, read or not.
func payloadMembers() []string {
	return []string{
		"id", "referencedId", "registrationId", "checkoutId", "shortId",
		"paymentType", "paymentBrand", "paymentMethod", "amount", "currency",
		"presentationAmount", "presentationCurrency", "descriptor",
		"merchantMemo", "merchantTransactionId", "merchantInvoiceId", "merchantAccountId",
		"result", "resultDetails", "authentication", "billing", "shipping", "customer",
		"card", "bankAccount", "virtualAccount", "threeDSecure", "redirect", "risk",
		"customParameters", "recurringType", "standingInstruction", "cart", "source",
		"timestamp", "ndc", "channelName", "buildNumber",
	}
}
