package natsd_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
)

const (
	acmePaid  = "payments.v1.live.clip.acme.payment.paid"
	acmeLate  = "observations.v1.live.clip.acme.payment.paid"
	acmeOdd   = "quarantine.v1.clip.acme"
	acmeOther = "payments.v1.live.qitech.acme.payment.paid"
	rivalPaid = "payments.v1.live.clip.rival.payment.paid"
	ledgerAt  = "paynorm.ledger.v1.commit"
)

func users() []natsd.User {
	return []natsd.User{
		{Name: "acme", Password: "acme-password", Merchants: []string{"acme"}, Providers: []string{"clip"}, Consumers: []natsd.Consumer{{Name: "acme-books", Content: []string{"payments"}}}},
		{Name: "rival", Password: "rival-password", Merchants: []string{"rival"}, Providers: []string{"*"}, Consumers: []natsd.Consumer{{Name: "rival-books", Content: []string{"payments", "quarantine"}}}},
		{Name: "all", Password: "all-password", Merchants: []string{"*"}, Providers: []string{"*"}},
	}
}

// site is a server with paynorm's streams and a message for each border.
type site struct {
	url string
	js  jetstream.JetStream // paynorm's own
	nc  *nats.Conn
}

// start starts an embedded server with users.
func start(t *testing.T, users []natsd.User) *site {
	t.Helper()
	s, err := natsd.Start(t.Context(), natsd.Options{StoreDir: t.TempDir(), Address: "127.0.0.1:0", Users: users, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return fill(t, "nats://"+s.Address(), natsdtest.Connect(t, s), users)
}

// fill makes the streams and their consumers, and publishes.
func fill(t *testing.T, url string, nc *nats.Conn, users []natsd.User) *site {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for name, subjects := range map[string][]string{
		"PAYNORM_LEDGER": {"paynorm.ledger.v1.>"}, "PAYNORM_EVENTS": {"payments.v1.>", "observations.v1.>", "quarantine.v1.>"}, "PAYNORM_KEYS": {"paynorm.keys.v1"},
	} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, AllowDirect: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := natsd.MakeConsumers(t.Context(), nc, users); err != nil {
		t.Fatal(err)
	}
	return &site{url, js, nc}
}

// publish publishes one message for each border.
func (s *site) publish(t *testing.T) {
	t.Helper()
	for _, subject := range []string{acmePaid, acmeLate, acmeOdd, acmeOther, rivalPaid, ledgerAt, "paynorm.keys.v1"} {
		if _, err := s.js.Publish(t.Context(), subject, []byte(subject)); err != nil {
			t.Fatal(err)
		}
	}
}

// counts are how many messages the streams hold.
func (s *site) counts(t *testing.T) (counts [3]uint64) {
	t.Helper()
	for i, name := range []string{"PAYNORM_LEDGER", "PAYNORM_EVENTS", "PAYNORM_KEYS"} {
		stream, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		counts[i] = stream.CachedInfo().State.Msgs
	}
	return counts
}

// heard returns the subjects that a subscription to everything gets while
// paynorm publishes. The last one, on a subject that the user may see, ends it.
func (s *site) heard(t *testing.T, nc *nats.Conn, end string) map[string]int {
	t.Helper()
	sub, err := nc.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	s.publish(t)
	if err := s.nc.Publish(end, []byte("end")); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for {
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		if string(m.Data) == "end" {
			return got
		}
		got[m.Subject]++
	}
}

func TestAUserHearsItsOwnMerchantsAndProviders(t *testing.T) {
	s := start(t, users())
	for user, want := range map[string]string{
		"acme": acmeLate + " " + acmePaid + " " + acmeOdd, "rival": rivalPaid,
		"all": acmeLate + " " + acmePaid + " " + rivalPaid + " " + acmeOther + " " + acmeOdd,
	} {
		end := acmeOdd
		if user == "rival" {
			end = rivalPaid
		}
		nc := natsdtest.Dial(t, s.url, user, user+"-password")
		got := s.heard(t, nc.Conn, end)
		if len(got) != len(strings.Fields(want)) {
			t.Errorf("%s heard %v, want %s", user, got, want)
		}
		for subject := range strings.FieldsSeq(want) {
			if got[subject] != 1 {
				t.Errorf("%s heard %s %d times, want once", user, subject, got[subject])
			}
		}
	}
}

func TestOnlyTheDeclaredGetIn(t *testing.T) {
	s := start(t, users())
	for name, option := range map[string]nats.Option{
		"nobody": nil, "another password": nats.UserInfo("acme", "rival-password"), "no password": nats.UserInfo("acme", ""),
		"an unknown user": nats.UserInfo("other", "acme-password"), "paynorm": nats.UserInfo("paynorm", ""), "a token": nats.Token("acme-password"),
	} {
		nc, err := nats.Connect(s.url, option)
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v, want an authorization error", name, err)
		}
		if err == nil {
			nc.Close()
		}
	}
}

func TestAUserFetchesFromItsOwnConsumer(t *testing.T) {
	s := start(t, users())
	s.publish(t)
	for user, want := range map[string]string{"acme": acmePaid, "rival": rivalPaid} {
		js := stream(t, natsdtest.Dial(t, s.url, user, user+"-password").Conn)
		c, err := js.Consumer(t.Context(), "PAYNORM_EVENTS", user+"-books")
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Next(jetstream.FetchMaxWait(5 * time.Second))
		if err != nil || m.Subject() != want {
			t.Fatalf("%s: got %v, %v, want %s", user, m, err, want)
		}
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Errorf("%s: acknowledge: %v", user, err)
		}
		info, err := c.Info(t.Context())
		if err != nil || info.NumPending != 0 || info.NumAckPending != 0 {
			t.Errorf("%s: got %v, %v, want nothing pending", user, info, err)
		}
	}
}

func stream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	return js
}
