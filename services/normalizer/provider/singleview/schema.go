package singleview

import (
	"slices"

	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

// documented is what SingleView documents of a batch. The field tables say text
// for every member, the samples show numbers for amounts and codes, so both are
// documented. The array is payment in the tables and payments in the samples.
func documented(t table) schema.Schema {
	const either = schema.Text | schema.Number
	currency := func(word string) bool {
		_, ok := money.Exponent(word)
		return ok
	}
	status := func(word string) bool {
		return slices.ContainsFunc(t, func(r row) bool { return r.status == word })
	}
	element := []schema.Member{
		{Name: "payId", Kinds: either},
		{Name: "authId", Kinds: either},
		{Name: "seqNum", Kinds: either},
		{Name: "svRefId", Kinds: either},
		{Name: "amount", Kinds: either},
		{Name: "bankCharges", Kinds: schema.Text, Known: schema.OneOf("Y", "N")},
		{Name: "chargeAmount", Kinds: either},
		{Name: "currency", Kinds: schema.Text, Known: currency},
		{Name: "txnDate", Kinds: schema.Text},
		{Name: "status", Kinds: either, Known: status},
		{Name: "approval_status", Kinds: either, Known: knownApproval},
		{Name: "type", Kinds: schema.Text, Known: schema.OneOf("payment")},
	}
	return schema.New(
		schema.Member{Name: "service", Kinds: schema.Text, Known: schema.OneOf(statusService, chargeService)},
		schema.Member{Name: "companyCode", Kinds: either},
		schema.Member{Name: batch, Kinds: schema.List, Inner: element},
		schema.Member{Name: batchInTables, Kinds: schema.List, Inner: element},
	)
}
