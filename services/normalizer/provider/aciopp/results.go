package aciopp

import "regexp"

// sourceResults lists the result codes by group, each group as a pattern.
const sourceResults = "https://docs.latam.ppro.com/reference/result-codes"

// verdict is what a group of result codes says about the operation it answers.
type verdict uint8

const (
	succeeded     verdict = iota + 1
	authenticated         // the payer passed 3-D Secure; no money was asked for yet
	review                // succeeded, and a person has to look at it first
	pending
	uncertain // the answer got lost: it may have worked
	canceled  // by the payer
	declined
	disputed   // a chargeback's reason
	notPayment // about a registration or a job
)

// group is a row of the table of result codes.
type group struct {
	title   string
	pattern *regexp.Regexp
	verdict verdict
	reason  string // the event's reason code; empty when the status says it all
	soft    bool   // declined, and the same payment may be tried again
	test    bool   // the payload itself says that no money moves
}

// resultGroups is the table of result codes; the first row that matches wins.
//
// The published patterns overlap and are prefixes. So the single codes that a
// wider pattern would misread come before it: 000.100.211 and 212 are successes
// inside the chargeback pattern, 000.400.110 and 120 are in the success pattern
// but only authenticate, 000.400.030 is a partial failure beside manual review,
// and 100.400.500 is pending inside the older pattern of the external risk group.
func resultGroups() []group {
	return []group{
		{title: "success, amount differs from the preauthorization", pattern: re(`^000\.100\.21[12]$`), verdict: succeeded},
		{title: "success in test mode", pattern: re(`^000\.100\.11\d$`), verdict: succeeded, test: true},
		{title: "3-D Secure succeeded", pattern: re(`^000\.400\.1[12]0$`), verdict: authenticated, reason: "authenticated"},
		{title: "success", pattern: re(`^(000\.000\.|000\.100\.1|000\.[36])`), verdict: succeeded},
		{title: "partially failed", pattern: re(`^000\.400\.030$`), verdict: uncertain, reason: "outcome_uncertain"},
		{title: "success, manual review", pattern: re(`^(000\.400\.0[^3]|000\.400\.100)`), verdict: review, reason: "manual_review"},
		{title: "pending, session open", pattern: re(`^000\.200`), verdict: pending},
		{title: "pending for days", pattern: re(`^(800\.400\.5|100\.400\.500)`), verdict: pending},
		{title: "canceled by the payer", pattern: re(`^100\.396\.101$`), verdict: canceled, reason: "canceled_by_payer"},
		{title: "probably canceled by the payer", pattern: re(`^100\.396\.104$`), verdict: uncertain, reason: "outcome_uncertain"},
		{title: "communication error", pattern: re(`^900\.[1234]00`), verdict: uncertain, reason: "outcome_uncertain"},
		{title: "soft decline", pattern: re(`^300\.100\.100`), verdict: declined, reason: "soft_decline", soft: true},
		{title: "3-D Secure or intercard risk", pattern: re(`^(000\.400\.1[0-9][1-9]|000\.400\.2)`), verdict: declined, reason: "three_d_secure_failed"},
		{title: "3-D Secure", pattern: re(`^(800\.400\.2|100\.390)`), verdict: declined, reason: "three_d_secure_failed"},
		{title: "bank decline", pattern: re(`^(800\.[17]00|800\.800\.[123])`), verdict: declined, reason: "declined_by_bank"},
		{title: "system error", pattern: re(`^(800\.[56]|999\.|600\.1|800\.800\.[84])`), verdict: declined, reason: "system_error"},
		{title: "asynchronous workflow", pattern: re(`^100\.39[765]`), verdict: declined, reason: "not_completed"},
		{title: "risk management", pattern: re(`^(100\.380\.[23]|100\.380\.101)`), verdict: declined, reason: "risk_management_rejected"},
		{title: "external risk", pattern: re(`^(100\.400|100\.38|100\.370\.100|100\.370\.11)`), verdict: declined, reason: "risk_rejected"},
		{title: "address check", pattern: re(`^800\.400\.1`), verdict: declined, reason: "address_check_failed"},
		{title: "blacklist", pattern: re(`^800\.[32]`), verdict: declined, reason: "blacklisted"},
		{title: "risk validation", pattern: re(`^800\.1[123456]0`), verdict: declined, reason: "risk_validation_failed"},
		{title: "configuration", pattern: re(`^(600\.[23]|500\.[12]|800\.121)`), verdict: declined, reason: "configuration_error"},
		{title: "reference", pattern: re(`^700\.[1345][05]0`), verdict: declined, reason: "invalid_reference"},
		{title: "format", pattern: re(`^(200\.[123]|100\.[53][07]|800\.900|100\.[69]00\.500)`), verdict: declined, reason: "invalid_request"},
		{title: "address", pattern: re(`^100\.800`), verdict: declined, reason: "invalid_address"},
		{title: "contact", pattern: re(`^(100\.700|100\.900\.[012346789])`), verdict: declined, reason: "invalid_contact"},
		{title: "account", pattern: re(`^(100\.100|100\.2[01])`), verdict: declined, reason: "invalid_account"},
		{title: "amount", pattern: re(`^100\.55`), verdict: declined, reason: "invalid_amount"},
		{title: "chargeback", pattern: re(`^000\.100\.2`), verdict: disputed, reason: "chargeback"},
		{title: "registration", pattern: re(`^100\.[13]50`), verdict: notPayment},
		{title: "job", pattern: re(`^(100\.250|100\.360)`), verdict: notPayment},
	}
}

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// result finds the group of code. ok is false when code is not three groups of
// three digits (the patterns are prefixes, so they would match more than codes)
// or in no group.
func (a Adapter) result(code string) (g group, ok bool) {
	if !isCode(code) {
		return group{}, false
	}
	for _, g := range a.groups {
		if g.pattern.MatchString(code) {
			return g, true
		}
	}
	return group{}, false
}

// isCode reports whether code is three groups of three digits, joined by dots.
func isCode(code string) bool {
	const size = len("000.000.000")
	for i := range min(len(code), size) {
		if dot := i == 3 || i == 7; dot != (code[i] == '.') || !dot && (code[i] < '0' || code[i] > '9') {
			return false
		}
	}
	return len(code) == size
}
