package client

import (
	"cmp"
	"strings"
)

// Stream is the JetStream stream that events and notices are in.
const Stream = "PAYNORM_EVENTS"

// Filter selects events by the tokens of their subject. An empty field is any.
// Words are those of the subject, in lower case: mode "live" or "test", kind
// "payment", "refund", "dispute" or "proof", status "paid", "requires_action" and so on.
type Filter struct {
	Mode, Provider, Merchant, Kind, Status string
}

// Payments is the subject of the selected events that changed something.
func (f Filter) Payments() string { return "payments.v1." + f.tail() }

// Observations is the subject of the selected events that changed nothing: late,
// repeated in other words, or impossible.
func (f Filter) Observations() string { return "observations.v1." + f.tail() }

// Quarantine is the subject of notices of items that were kept and not
// published. Only Provider and Merchant select.
func (f Filter) Quarantine() string {
	return "quarantine.v1." + cmp.Or(f.Provider, "*") + "." + cmp.Or(f.Merchant, "*")
}

func (f Filter) tail() string {
	tokens := []string{f.Mode, f.Provider, f.Merchant, f.Kind, f.Status}
	for i, token := range tokens {
		tokens[i] = cmp.Or(token, "*")
	}
	return strings.Join(tokens, ".")
}
