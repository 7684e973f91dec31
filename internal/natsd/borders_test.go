package natsd_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
)

// crossings are what a subscriber may try against others and against paynorm:
// requests to JetStream, and bodies for them.
var crossings = map[string]string{
	"$JS.API.STREAM.DELETE.PAYNORM_EVENTS":              "",
	"$JS.API.STREAM.DELETE.PAYNORM_LEDGER":              "",
	"$JS.API.STREAM.PURGE.PAYNORM_EVENTS":               "",
	"$JS.API.STREAM.PURGE.PAYNORM_LEDGER":               `{"keep":0}`,
	"$JS.API.STREAM.UPDATE.PAYNORM_EVENTS":              `{"name":"PAYNORM_EVENTS","subjects":["payments.v1.>"],"max_msgs":1}`,
	"$JS.API.STREAM.MSG.DELETE.PAYNORM_LEDGER":          `{"seq":1}`,
	"$JS.API.STREAM.CREATE.MINE":                        `{"name":"MINE","subjects":["mine"],"republish":{"src":">","dest":"payments.v1.live.clip.acme.payment.paid"},"storage":"memory","retention":"limits"}`,
	"$JS.API.STREAM.SNAPSHOT.PAYNORM_LEDGER":            `{"deliver_subject":"mine"}`,
	"$JS.API.STREAM.MSG.GET.PAYNORM_KEYS":               `{"seq":1}`,
	"$JS.API.DIRECT.GET.PAYNORM_KEYS":                   `{"seq":1}`,
	"$JS.API.DIRECT.GET.PAYNORM_KEYS.paynorm.keys.v1":   "",
	"$JS.API.CONSUMER.CREATE.PAYNORM_KEYS.mine":         `{"stream_name":"PAYNORM_KEYS","config":{"name":"mine","ack_policy":"none"}}`,
	"$JS.API.CONSUMER.DURABLE.CREATE.PAYNORM_KEYS.mine": `{"stream_name":"PAYNORM_KEYS","config":{"durable_name":"mine","ack_policy":"none"}}`,
	"payments.v1.live.clip.rival.payment.paid":          "forged",
	"payments.v1.live.clip.acme.payment.paid":           "forged",
	"observations.v1.live.clip.acme.payment.paid":       "forged",
	"quarantine.v1.clip.acme":                           "forged",
	"paynorm.ledger.v1.commit":                          "forged",
	"paynorm.keys.v1":                                   "forged",
}

// readings are crossings that a user with merchants must not make either.
var readings = map[string]string{
	"$JS.API.STREAM.MSG.GET.PAYNORM_LEDGER":                 `{"seq":1}`,
	"$JS.API.STREAM.MSG.GET.PAYNORM_EVENTS":                 `{"seq":1}`,
	"$JS.API.DIRECT.GET.PAYNORM_EVENTS":                     `{"seq":1}`,
	"$JS.API.DIRECT.GET.PAYNORM_EVENTS." + rivalPaid:        "",
	"$JS.API.DIRECT.GET.PAYNORM_LEDGER." + ledgerAt:         "",
	"$JS.API.STREAM.INFO.PAYNORM_EVENTS":                    `{"subjects_filter":">"}`,
	"$JS.API.STREAM.NAMES":                                  "",
	"$JS.API.CONSUMER.NAMES.PAYNORM_EVENTS":                 "",
	"$JS.API.CONSUMER.INFO.PAYNORM_EVENTS.rival-books":      "",
	"$JS.API.CONSUMER.DELETE.PAYNORM_EVENTS.rival-books":    "",
	"$JS.API.CONSUMER.DELETE.PAYNORM_EVENTS.acme-books":     "",
	"$JS.API.CONSUMER.PAUSE.PAYNORM_EVENTS.rival-books":     `{"pause_until":"2999-01-01T00:00:00Z"}`,
	"$JS.API.CONSUMER.MSG.NEXT.PAYNORM_EVENTS.rival-books":  `{"batch":1}`,
	"$JS.ACK.PAYNORM_EVENTS.rival-books.1.5.1.1700000000.0": "+ACK",
	"$JS.API.CONSUMER.CREATE.PAYNORM_EVENTS.wide":           `{"stream_name":"PAYNORM_EVENTS","config":{"name":"wide","ack_policy":"none"}}`,
	"$JS.API.CONSUMER.CREATE.PAYNORM_EVENTS.acme-books":     `{"stream_name":"PAYNORM_EVENTS","config":{"durable_name":"acme-books","name":"acme-books","ack_policy":"explicit","filter_subject":"payments.v1.>"}}`,
	"$JS.API.CONSUMER.CREATE.PAYNORM_EVENTS.push":           `{"stream_name":"PAYNORM_EVENTS","config":{"name":"push","ack_policy":"none","deliver_subject":"paynorm.ledger.v1.forged"}}`,
	"$JS.API.CONSUMER.CREATE.PAYNORM_LEDGER.mine":           `{"stream_name":"PAYNORM_LEDGER","config":{"name":"mine","ack_policy":"none"}}`,
	"$JS.API.CONSUMER.DURABLE.CREATE.PAYNORM_EVENTS.mine":   `{"stream_name":"PAYNORM_EVENTS","config":{"durable_name":"mine","ack_policy":"none"}}`,
}

// tryAll sends requests and returns those that were answered.
func tryAll(t *testing.T, nc *nats.Conn, requests ...map[string]string) map[string]string {
	t.Helper()
	inbox := nats.NewInbox()
	sub, err := nc.SubscribeSync(inbox + ".*")
	if err != nil {
		t.Fatal(err)
	}
	names, n := map[string]string{}, 0
	for _, list := range requests {
		for subject, body := range list {
			n++
			reply := inbox + "." + string(rune('a'-1+n%26)) + string(rune('a'+n/26))
			names[reply] = subject
			if err := nc.PublishRequest(subject, reply, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for {
		m, err := sub.NextMsg(500 * time.Millisecond)
		if err != nil {
			return got
		}
		if m.Header.Get("Status") == "" { // else nobody is there to answer
			got[names[m.Subject]] = string(m.Data)
		}
	}
}

func TestAUserCrossesNoBorder(t *testing.T) {
	s := start(t, users())
	s.publish(t)
	crossNoBorder(t, s)
}

func crossNoBorder(t *testing.T, s *site) {
	t.Helper()
	before := s.counts(t)
	rival := natsdtest.Dial(t, s.url, "rival", "rival-password")
	overheard, err := rival.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	if err := rival.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"acme", "all"} {
		nc := natsdtest.Dial(t, s.url, user, user+"-password")
		for subject, answer := range tryAll(t, nc.Conn, crossings, readings) {
			t.Errorf("%s is answered on %s: %s", user, subject, answer)
		}
	}
	// A reply subject is where an answer is published.
	acme := natsdtest.Dial(t, s.url, "acme", "acme-password")
	for _, reply := range []string{rivalPaid, acmePaid, "paynorm.ledger.v1.forged"} {
		for _, request := range []string{"$JS.API.CONSUMER.INFO.PAYNORM_EVENTS.acme-books", "$JS.API.CONSUMER.MSG.NEXT.PAYNORM_EVENTS.acme-books"} {
			if err := acme.PublishRequest(request, reply, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := acme.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := overheard.NextMsg(500 * time.Millisecond); err == nil {
		t.Errorf("another user hears %s: %s", m.Subject, m.Data)
	}
	if after := s.counts(t); after != before {
		t.Errorf("ledger, events and keys hold %v messages, held %v before", after, before)
	}
	// What was tried against its consumer did not take the message from the rival.
	c, err := stream(t, rival.Conn).Consumer(t.Context(), "PAYNORM_EVENTS", "rival-books")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Next(jetstream.FetchMaxWait(5 * time.Second)); err != nil || m.Subject() != rivalPaid {
		t.Errorf("the other user gets %v, %v, want its message", m, err)
	}
}

func TestWithoutUsersAnybodyReadsAndNobodyWrites(t *testing.T) {
	s := start(t, nil)
	nc := natsdtest.Dial(t, s.url, "", "")
	if got := s.heard(t, nc.Conn, acmeOdd); got[acmePaid] != 1 || got[rivalPaid] != 1 {
		t.Errorf("heard %v, want every payment", got)
	}
	c, err := stream(t, nc.Conn).OrderedConsumer(t.Context(), "PAYNORM_EVENTS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(jetstream.FetchMaxWait(5 * time.Second)); err != nil {
		t.Error(err)
	}
	before := s.counts(t)
	for subject, answer := range tryAll(t, nc.Conn, crossings) {
		t.Errorf("answered on %s: %s", subject, answer)
	}
	if after := s.counts(t); after != before {
		t.Errorf("ledger, events and keys hold %v messages, held %v before", after, before)
	}
	if !nc.Denied() {
		t.Error("nothing was denied")
	}
}
