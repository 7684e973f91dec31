package natsd

import (
	"fmt"
	"strings"
)

// Permissions writes users as the configuration of nats-server, for an external
// cluster: the same accounts as the embedded server makes. Passwords are
// variables of the server's environment.
func Permissions(users []User) string {
	var b strings.Builder
	b.WriteString(`# Who may do what on the cluster that paynorm uses. Include it in the
# configuration of each server. The variables are read from the environment; give
# each a value of its own, bcrypted or not.
accounts {
  # The streams are in this account. Only paynorm logs in to it.
  ` + ourAccount + ` {
    jetstream: enabled
    users: [ {user: "` + ourUser + `", password: $` + variable(ourUser) + `} ]
    exports: [
`)
	for _, u := range users {
		for _, subject := range u.streams() {
			fmt.Fprintf(&b, "      {stream: %q, accounts: [%q]}\n", subject, u.account())
		}
		for _, s := range u.services() {
			kind := "singleton"
			if s.many {
				kind = "stream"
			}
			fmt.Fprintf(&b, "      {service: %q, response_type: %q, accounts: [%q]}\n", s.to, kind, u.account())
		}
	}
	b.WriteString("    ]\n  }\n")
	for _, u := range users {
		fmt.Fprintf(&b, "  %q {\n    users: [ {user: %q, password: $%s} ]\n    imports: [\n", u.account(), u.Name, variable(u.Name))
		for _, subject := range u.streams() {
			fmt.Fprintf(&b, "      {stream: {account: %q, subject: %q}}\n", ourAccount, subject)
		}
		for _, s := range u.services() {
			fmt.Fprintf(&b, "      {service: {account: %q, subject: %q}, to: %q}\n", ourAccount, s.to, s.subject)
		}
		b.WriteString("    ]\n  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// variable is the environment variable with a user's password.
func variable(user string) string {
	return "NATS_PASSWORD_" + strings.ToUpper(strings.ReplaceAll(user, "-", "_"))
}
