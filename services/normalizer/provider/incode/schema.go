package incode

import "github.com/paynorm/paynorm/services/normalizer/provider/schema"

// documented is what Incode documents: all members are texts.
func documented(t table) schema.Schema {
	words := map[string]func(string) bool{
		"status":        func(word string) bool { return fold(word) == found },
		"voucherEffect": isEffect,
		"cancellationStatus": func(word string) bool {
			r, ok := t.find(found, fold(word))
			return ok && r.match != anyWord
		},
	}
	var members []schema.Member
	for _, name := range []string{
		"requestId", "rfcIssuer", "issuerName", "rfcReceiver", "receiverName", "fiscalInvoice", "issueDate",
		"certificationDate", "rfcPac", "totalCfdi", "voucherEffect", "cancellationStatus", "validationCode", "status",
	} {
		members = append(members, schema.Member{Name: name, Kinds: schema.Text, Known: words[name]})
	}
	return schema.New(members...)
}
