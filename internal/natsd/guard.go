package natsd

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
)

// guard says who may connect to the embedded server, and as what. paynorm
// itself is in the global account, where the streams are, with a password that
// is made at start and known inside the process only. Each user is in an account
// of its own. Without users anybody may connect to the global account, and read.
type guard struct {
	password string
	users    []User

	mu       sync.Mutex
	accounts map[string]*server.Account // by user; nil until open
}

func newGuard(users []User) *guard { return &guard{password: rand.Text(), users: users} }

// Check implements server.Authentication.
func (g *guard) Check(c server.ClientAuthentication) bool {
	sent := c.GetOpts()
	if sent.Username == ourUser {
		if !equal(sent.Password, g.password) {
			return false
		}
		c.RegisterUser(&server.User{Username: ourUser})
		return true
	}
	if len(g.users) == 0 {
		c.RegisterUser(&server.User{Username: "anybody", Permissions: reading()})
		return true
	}
	// All are compared, so that the time does not tell which part was wrong.
	var found *server.Account
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.users {
		name, password := equal(sent.Username, u.Name), equal(sent.Password, u.Password)
		if name && password {
			found = g.accounts[u.Name]
		}
	}
	if found == nil {
		return false
	}
	c.RegisterUser(&server.User{Username: sent.Username, Account: found})
	return true
}

// open makes the accounts on a server that has started. Until then only paynorm
// itself gets in: with other accounts at start, JetStream would not come up in
// the global one.
func (g *guard) open(s *server.Server) error {
	accounts := map[string]*server.Account{}
	ours := s.GlobalAccount()
	for _, u := range g.users {
		theirs, err := s.RegisterAccount(u.account())
		if err != nil {
			return fmt.Errorf("nats.users: %s: %w", u.Name, err)
		}
		if err := share(ours, theirs, u); err != nil {
			return fmt.Errorf("nats.users: %s: %w", u.Name, err)
		}
		accounts[u.Name] = theirs
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts = accounts
	return nil
}

// shut keeps users out until open: a server listens a moment before its accounts are
// made, and those of the server before it would accept a user who then hears nothing.
func (g *guard) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts = nil
}

// share lets an account see what its user may see.
func share(ours, theirs *server.Account, u User) error {
	to := []*server.Account{theirs}
	var errs []error
	for _, subject := range u.streams() {
		errs = append(errs, ours.AddStreamExport(subject, to), theirs.AddStreamImport(ours, subject, ""))
	}
	for _, s := range u.services() {
		kind := server.Singleton
		if s.many {
			kind = server.Streamed
		}
		errs = append(errs, ours.AddServiceExportWithResponse(s.to, kind, to), theirs.AddServiceImport(ours, s.subject, s.to))
	}
	return errors.Join(errs...)
}

// reading is what anybody may do on loopback when there are no users: all but
// publishing what only paynorm publishes, and changing streams.
func reading() *server.Permissions {
	deny := []string{
		"payments.>", "observations.>", "quarantine.>", "paynorm.>",
		// A stream of somebody's own could republish onto ours.
		"$JS.API.STREAM.CREATE.>", "$JS.API.STREAM.UPDATE.>", "$JS.API.STREAM.RESTORE.>", "$JS.API.STREAM.TEMPLATE.>",
		"$JS.API.STREAM.*." + keysStream, "$JS.API.STREAM.MSG.*." + keysStream,
		"$JS.API.DIRECT.GET." + keysStream, "$JS.API.DIRECT.GET." + keysStream + ".>",
		"$JS.API.CONSUMER.*." + keysStream, "$JS.API.CONSUMER.*." + keysStream + ".>",
		"$JS.API.CONSUMER.*.*." + keysStream, "$JS.API.CONSUMER.*.*." + keysStream + ".>",
	}
	for _, stream := range []string{ledgerStream, eventsStream} {
		for _, verb := range []string{"DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "PEER.REMOVE", "LEADER.STEPDOWN"} {
			deny = append(deny, "$JS.API.STREAM."+verb+"."+stream)
		}
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Deny: deny},
		Subscribe: &server.SubjectPermission{Deny: []string{"paynorm.keys.>"}},
	}
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1 && b != ""
}
