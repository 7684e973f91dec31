package aciopp

import (
	"slices"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

const (
	sourceWebhooks   = "https://docs.oppwa.com/tutorials/webhooks/integration-guide"
	sourceOperations = "https://docs.latam.ppro.com/manage-payments/backoffice-operations"
	sourceOXXO       = "https://developers.primeiropay.com/cash-based-payments/oxxo"
)

// operation is a payment type: what was attempted.
type operation struct {
	word      string
	kind      eventv1.Kind
	operation eventv1.Operation
	// refers says that the payment is the one that referencedId names, when it is there.
	refers bool
}

// operations lists the payment types that are mapped. CD (credit) and RB
// (rebill) are documented too; what they do to which payment is not, so they
// are quarantined with every word that is not here.
func operations() []operation {
	const payment, refund, dispute = eventv1.Kind_KIND_PAYMENT, eventv1.Kind_KIND_REFUND, eventv1.Kind_KIND_DISPUTE
	return []operation{
		{"PA", payment, eventv1.Operation_OPERATION_AUTHORIZATION, false},
		{"PP", payment, eventv1.Operation_OPERATION_PREPAYMENT, false},
		{"DB", payment, eventv1.Operation_OPERATION_SALE, true},
		{"CP", payment, eventv1.Operation_OPERATION_CAPTURE, true},
		{"RC", payment, eventv1.Operation_OPERATION_RECEIPT, true},
		{"RV", payment, eventv1.Operation_OPERATION_VOID, true},
		{"RF", refund, eventv1.Operation_OPERATION_REFUND, true},
		{"CB", dispute, eventv1.Operation_OPERATION_CHARGEBACK, true},
		{"CR", dispute, eventv1.Operation_OPERATION_CHARGEBACK_REVERSAL, true},
	}
}

func (a Adapter) operation(word string) (operation, bool) {
	for _, o := range a.operations {
		if o.word == word {
			return o, true
		}
	}
	return operation{}, false
}

// rule says what an operation with a verdict becomes. The first rule that
// matches wins; what none matches is quarantined.
type rule struct {
	kind    eventv1.Kind
	word    string // a payment type; empty: every one of kind
	family  family // of the brand; anyFamily: does not matter
	verdict verdict

	payment  eventv1.PaymentStatus // one of these three, by kind
	refund   eventv1.RefundStatus
	dispute  eventv1.DisputeStatus
	actionBy eventv1.ActionBy
	ifPaid   eventv1.PaymentStatus
	outcome  eventv1.OperationOutcome

	shown map[string]shown // the rule as people see it, by the reason of the group
}

// shown is a row of the table for people: one rule with the groups of one reason.
type shown struct {
	row    *provider.Mapping
	ifPaid *provider.Mapping // decides when the payment was paid before; nil where that changes nothing
}

func rules() []rule {
	const (
		payment, refund, dispute = eventv1.Kind_KIND_PAYMENT, eventv1.Kind_KIND_REFUND, eventv1.Kind_KIND_DISPUTE
		worked                   = eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED
		failed                   = eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED
		undecided                = eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING
		payer, merchant          = eventv1.ActionBy_ACTION_BY_PAYER, eventv1.ActionBy_ACTION_BY_MERCHANT
		action                   = eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION
		paid                     = eventv1.PaymentStatus_PAYMENT_STATUS_PAID
	)
	return []rule{
		{kind: payment, word: "PA", family: cards, verdict: succeeded, payment: eventv1.PaymentStatus_PAYMENT_STATUS_AUTHORIZED, outcome: worked},
		{kind: payment, word: "PA", family: vouchers, verdict: succeeded, payment: action, actionBy: payer, outcome: worked},
		{kind: payment, word: "PP", verdict: succeeded, payment: action, actionBy: payer, outcome: worked},
		{kind: payment, word: "DB", verdict: succeeded, payment: paid, outcome: worked},
		{kind: payment, word: "CP", verdict: succeeded, payment: paid, outcome: worked},
		{kind: payment, word: "RC", verdict: succeeded, payment: paid, outcome: worked},
		{kind: payment, word: "RV", verdict: succeeded, payment: eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED, ifPaid: eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED, outcome: worked},
		{kind: payment, verdict: authenticated, payment: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING, outcome: undecided},
		{kind: payment, verdict: review, payment: action, actionBy: merchant, outcome: undecided},
		{kind: payment, verdict: pending, payment: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING, outcome: undecided},
		{kind: payment, verdict: uncertain, payment: eventv1.PaymentStatus_PAYMENT_STATUS_PROCESSING, outcome: undecided},
		{kind: payment, verdict: canceled, payment: eventv1.PaymentStatus_PAYMENT_STATUS_CANCELED, outcome: failed},
		{kind: payment, verdict: declined, payment: eventv1.PaymentStatus_PAYMENT_STATUS_FAILED, outcome: failed},

		{kind: refund, verdict: succeeded, refund: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, outcome: worked},
		{kind: refund, verdict: authenticated, refund: eventv1.RefundStatus_REFUND_STATUS_PENDING, outcome: undecided},
		{kind: refund, verdict: review, refund: eventv1.RefundStatus_REFUND_STATUS_PENDING, outcome: undecided},
		{kind: refund, verdict: pending, refund: eventv1.RefundStatus_REFUND_STATUS_PENDING, outcome: undecided},
		{kind: refund, verdict: uncertain, refund: eventv1.RefundStatus_REFUND_STATUS_PENDING, outcome: undecided},
		{kind: refund, verdict: canceled, refund: eventv1.RefundStatus_REFUND_STATUS_CANCELED, outcome: failed},
		{kind: refund, verdict: declined, refund: eventv1.RefundStatus_REFUND_STATUS_FAILED, outcome: failed},

		{kind: dispute, word: "CB", verdict: succeeded, dispute: eventv1.DisputeStatus_DISPUTE_STATUS_OPENED, outcome: worked},
		{kind: dispute, word: "CB", verdict: disputed, dispute: eventv1.DisputeStatus_DISPUTE_STATUS_OPENED, outcome: worked},
		{kind: dispute, word: "CR", verdict: succeeded, dispute: eventv1.DisputeStatus_DISPUTE_STATUS_WON, outcome: worked},
	}
}

func (a Adapter) rule(o operation, f family, v verdict) (rule, bool) {
	for _, r := range a.rules {
		if r.kind == o.kind && r.verdict == v && (r.word == "" || r.word == o.word) && (r.family == anyFamily || r.family == f) {
			return r, true
		}
	}
	return rule{}, false
}

// status is the name of what the rule leads to, for the mapping table.
func (r rule) status() string {
	switch r.kind {
	case eventv1.Kind_KIND_REFUND:
		return r.refund.String()
	case eventv1.Kind_KIND_DISPUTE:
		return r.dispute.String()
	default:
		return r.payment.String()
	}
}

// skippedTypes lists the types of notification that are no payments, which are
// acknowledged and not published. TEST is sent when the listener is registered.
func skippedTypes() []*provider.Mapping {
	return []*provider.Mapping{
		{ProviderStatus: "REGISTRATION", Outcome: "skipped", Reason: "not_a_payment", Source: sourceWebhooks},
		{ProviderStatus: "RISK", Outcome: "skipped", Reason: "not_a_payment", Source: sourceWebhooks},
		{ProviderStatus: "TEST", Outcome: "skipped", Reason: "test_notification", Source: sourceWebhooks},
	}
}

func (a Adapter) skippedType(word string) (*provider.Mapping, bool) {
	for _, t := range a.types {
		if t.ProviderStatus == word {
			return t, true
		}
	}
	return nil, false
}

// others is the row of everything that no other row covers.
func others() *provider.Mapping {
	return &provider.Mapping{
		ProviderStatus: "any other type, payment type, brand of a PA or result code",
		Outcome:        "quarantined", Reason: "unmapped", Source: "synthetic",
	}
}

// mappings is the table for people: one row for each rule and reason, with the
// groups of result codes that lead there.
func (a Adapter) mappings() []provider.Mapping {
	var rows []provider.Mapping
	for _, r := range a.rules {
		for _, s := range a.reasons(r) {
			if r.shown[s].ifPaid != nil {
				rows = append(rows, *r.shown[s].ifPaid)
			}
			rows = append(rows, *r.shown[s].row)
		}
	}
	for _, t := range a.types {
		rows = append(rows, *t)
	}
	return append(rows, *a.others)
}

// show writes the rows of one rule, by reason.
func (a Adapter) show(r rule) map[string]shown {
	rows := map[string]shown{}
	for _, reason := range a.reasons(r) {
		var codes []string
		for _, g := range a.groups {
			if g.verdict == r.verdict && g.reason == reason {
				codes = append(codes, g.title+" "+g.pattern.String())
			}
		}
		m := provider.Mapping{
			ProviderStatus: r.words(a.operations) + " / " + strings.Join(codes, "; "),
			Outcome:        r.status(),
			Reason:         reason,
			Source:         r.source(),
		}
		s := shown{row: &m}
		if r.ifPaid != eventv1.PaymentStatus_PAYMENT_STATUS_UNSPECIFIED {
			paid := m
			paid.ProviderStatus += ", when the payment was paid before"
			paid.Outcome = r.ifPaid.String()
			s.ifPaid = &paid
		}
		rows[reason] = s
	}
	return rows
}

// reasons lists the reasons of the groups that lead to the rule, each once.
func (a Adapter) reasons(r rule) []string {
	var reasons []string
	for _, g := range a.groups {
		if g.verdict == r.verdict && !slices.Contains(reasons, g.reason) {
			reasons = append(reasons, g.reason)
		}
	}
	return reasons
}

// words names the payment types that the rule covers, and the family of brands.
func (r rule) words(all []operation) string {
	if r.word != "" {
		return r.word + r.family.suffix()
	}
	var words []string
	for _, o := range all {
		if o.kind == r.kind {
			words = append(words, o.word)
		}
	}
	return strings.Join(words, ", ")
}

// source says where the rule is documented: what a payment type's success means
// is told with the operations, everything else with the result codes.
func (r rule) source() string {
	switch {
	case r.family == vouchers:
		return sourceOXXO
	case r.word != "":
		return sourceOperations
	default:
		return sourceResults
	}
}
