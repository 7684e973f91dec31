package natsd

import (
	"slices"
)

// The streams, and the account in which they are on an external cluster.
const (
	ledgerStream = "PAYNORM_LEDGER"
	eventsStream = "PAYNORM_EVENTS"
	keysStream   = "PAYNORM_KEYS"
	ourAccount   = "PAYNORM"
	ourUser      = "paynorm"
)

// everything stands for all merchants or providers. In a subject it is the
// wildcard for one token, which is the same.
const everything = "*"

// User is a subscriber. It sees what belongs to one of its merchants and one of
// its providers.
type User struct {
	Name      string
	Password  string
	Merchants []string // or "*"
	Providers []string // or "*"
	Consumers []Consumer
}

// String hides the password.
func (u User) String() string { return u.Name }

// GoString hides the password.
func (u User) GoString() string { return u.Name }

// Consumer is a durable pull consumer of PAYNORM_EVENTS that a user fetches from.
type Consumer struct {
	Name    string
	Content []string // payments, observations, quarantine
}

// account is the name of the user's account. Accounts keep subscribers apart:
// whatever a user publishes, also as the reply subject of a request, stays in
// its own account, and so does what is delivered to it.
func (u User) account() string { return "subscriber-" + u.Name }

// subjects are those of some content that the user sees.
func (u User) subjects(content ...string) (list []string) {
	for _, c := range content {
		for _, p := range only(u.Providers) {
			for _, m := range only(u.Merchants) {
				if c == "quarantine" {
					list = append(list, "quarantine.v1."+p+"."+m)
				} else {
					list = append(list, c+".v1.*."+p+"."+m+".>")
				}
			}
		}
	}
	return list
}

// streams are all subjects that the user may subscribe to.
func (u User) streams() []string { return u.subjects("payments", "observations", "quarantine") }

// service is a request that the user may make.
type service struct {
	subject string // in the user's account
	to      string // in ours
	many    bool   // it has more than one answer
}

// services are what fetching from the user's consumers needs. They can neither
// be made nor changed: a consumer delivers to any subject that its maker names,
// and a stream's information names the subjects of others.
func (u User) services() []service {
	// The server gives an account the whole JetStream API, to say that it has no
	// JetStream, unless the account has a service of its own for this request.
	list := []service{{"$JS.API.INFO", "paynorm.nobody", false}}
	for _, c := range u.Consumers {
		info, next := "$JS.API.CONSUMER.INFO."+eventsStream+"."+c.Name, "$JS.API.CONSUMER.MSG.NEXT."+eventsStream+"."+c.Name
		ack := "$JS.ACK." + eventsStream + "." + c.Name + ".>"
		list = append(list, service{info, info, false}, service{next, next, true}, service{ack, ack, false})
	}
	return list
}

// only reduces a list with "*" in it to that: what overlaps would arrive twice.
func only(list []string) []string {
	if slices.Contains(list, everything) {
		return []string{everything}
	}
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
