package natsdtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Dial connects as a user to a server at url.
func Dial(t testing.TB, url, user, password string, more ...nats.Option) *Subscriber {
	t.Helper()
	s := &Subscriber{}
	nc, err := nats.Connect(url, append(more, nats.UserInfo(user, password), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.note(err) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s.Conn = nc
	return s
}

// Subscriber is a connection that remembers what it was not allowed to do.
type Subscriber struct {
	*nats.Conn
	mu     sync.Mutex
	errors []error
}

func (s *Subscriber) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, err)
}

// Denied says whether something was not allowed so far.
func (s *Subscriber) Denied() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errors {
		if errors.Is(err, nats.ErrPermissionViolation) {
			return true
		}
	}
	return false
}
