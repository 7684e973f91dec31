package config

import (
	"fmt"
	"math"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// Everything stands for all merchants or all providers where they are listed.
const Everything = "*"

// checkNames refuses names that are given twice, so that a name in the log or a
// permission means one thing.
func checkNames(doc *document, cfg *configv1.Config, report reporter) {
	unique := func() func(field, name string) {
		first := map[string]string{}
		return func(field, name string) {
			if before, ok := first[name]; ok && name != "" {
				report(field, "is taken at line %d already", doc.at(before).line)
				return
			}
			first[name] = field
		}
	}
	id, sum := unique(), unique()
	for i, t := range cfg.GetAccess().GetTokens() {
		id(fmt.Sprintf("access.tokens[%d].id", i), t.GetId())
		sum(fmt.Sprintf("access.tokens[%d].sha256", i), t.GetSha256())
	}
	issuer := unique()
	for i, j := range cfg.GetAccess().GetJwt() {
		issuer(fmt.Sprintf("access.jwt[%d].issuer", i), j.GetIssuer())
	}
	user, consumer := unique(), unique()
	for i, u := range cfg.GetNats().GetUsers() {
		field := fmt.Sprintf("nats.users[%d]", i)
		user(field+".name", u.GetName())
		if u.GetName() == ReservedUser {
			report(field+".name", "%q is paynorm itself", ReservedUser)
		}
		for n, c := range u.GetConsumers() {
			consumer(fmt.Sprintf("%s.consumers[%d].name", field, n), c.GetName())
		}
	}
}

// ReservedUser is the NATS user that no subscriber can be: paynorm's own.
const ReservedUser = "paynorm"

// defaultAccess completes who may read and subscribe.
func defaultAccess(cfg *configv1.Config) {
	for _, t := range cfg.GetAccess().GetTokens() {
		fillList(&t.Providers, Everything)
		fillList(&t.Scopes, "events")
	}
	for _, j := range cfg.GetAccess().GetJwt() {
		fill(&j.MerchantsClaim, "merchants")
		fill(&j.ProvidersClaim, "providers")
		fill(&j.ScopesClaim, "scope")
	}
	for _, u := range cfg.GetNats().GetUsers() {
		fillList(&u.Providers, Everything)
		for _, c := range u.GetConsumers() {
			fillList(&c.Content, "payments")
		}
	}
}

// defaultBurst lets through at once what comes in two seconds.
func defaultBurst(limits ...*configv1.RateLimit) {
	for _, l := range limits {
		if l != nil {
			fill(&l.Burst, int32(min(max(math.Ceil(2*l.GetPerSecond()), 1), math.MaxInt32)))
		}
	}
}

func fillList(list *[]string, value string) {
	if len(*list) == 0 {
		*list = []string{value}
	}
}
