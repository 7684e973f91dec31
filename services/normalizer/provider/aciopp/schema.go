package aciopp

import (
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// documented is what the platform documents of a notification. It adds a member
// randomField with changing digits to result on purpose, to show that unknown
// members must pass; that one is no drift.
// Sources: https://docs.oppwa.com/tutorials/webhooks/integration-guide and
// https://docs.oppwa.com/reference/parameters
func documented(a Adapter) schema.Schema {
	notification := func(word string) bool {
		_, skipped := a.skippedType(word)
		return skipped || word == typePayment
	}
	return schema.New(
		schema.Member{Name: "type", Kinds: schema.Text, Known: notification},
		schema.Member{Name: "action", Kinds: schema.Text, Known: schema.OneOf("CREATED", "UPDATED", "DELETED")},
		schema.Member{Name: "payload", Kinds: schema.Object, Inner: payloadMembers(a)},
	)
}

// payloadMembers are the members of payload, read or not.
func payloadMembers(a Adapter) []schema.Member {
	code := func(word string) bool {
		_, ok := a.result(word)
		return ok
	}
	brand := func(word string) bool { return a.brand(word).family != anyFamily }
	members := []schema.Member{
		{Name: "id", Kinds: schema.Text},
		{Name: "referencedId", Kinds: schema.Text},
		{Name: "paymentType", Kinds: schema.Text, Known: paymentType},
		{Name: "paymentBrand", Kinds: schema.Text, Known: brand},
		{Name: "amount", Kinds: schema.Text},
		{Name: "currency", Kinds: schema.Text, Known: currency},
		{Name: "presentationAmount", Kinds: schema.Text},
		{Name: "presentationCurrency", Kinds: schema.Text, Known: currency},
		{Name: "descriptor", Kinds: schema.Text},
		{Name: "merchantMemo", Kinds: schema.Text},
		{Name: "merchantTransactionId", Kinds: schema.Text},
		{Name: "result", Kinds: schema.Object, Inner: []schema.Member{
			{Name: "code", Kinds: schema.Text, Known: code},
			{Name: "description", Kinds: schema.Text},
			{Name: "randomField", Kinds: schema.Text, Prefix: true},
			{Name: "avsResponse", Kinds: schema.Text},
			{Name: "cvvResponse", Kinds: schema.Text},
			{Name: "parameterErrors", Kinds: schema.List},
		}},
		{Name: "resultDetails", Kinds: schema.Object},
		{Name: "billing", Kinds: schema.Object},
		{Name: "authentication", Kinds: schema.Object, Inner: []schema.Member{{Name: "entityId", Kinds: schema.Text}}},
	}
	for _, name := range []string{
		"customParameters", "redirect", "risk", "card", "bankAccount", "virtualAccount", "threeDSecure",
		"shipping", "customer", "standingInstruction", "cart",
	} {
		members = append(members, schema.Member{Name: name, Kinds: schema.Object})
	}
	for _, name := range []string{
		"timestamp", "ndc", "merchantAccountId", "channelName", "source", "registrationId", "checkoutId", "shortId",
		"paymentMethod", "merchantInvoiceId", "recurringType", "buildNumber",
	} {
		members = append(members, schema.Member{Name: name, Kinds: schema.Text})
	}
	return members
}

// paymentType knows the documented payment types, mapped or not.
// Source: https://docs.latam.ppro.com/manage-payments/backoffice-operations
func paymentType(word string) bool {
	switch word {
	case "PA", "DB", "CP", "CD", "RV", "RF", "RB", "RC", "CB", "CR", "PP", "RI":
		return true
	}
	return false
}

func currency(word string) bool {
	_, ok := money.Exponent(word)
	return ok
}
