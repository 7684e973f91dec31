package verify_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/benchmarks/internal/verify"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"google.golang.org/protobuf/proto"
)

// streams has a JetStream with these streams, each taking all below the subjects.
func streams(t *testing.T, subjects map[string][]string) jetstream.JetStream {
	t.Helper()
	nc := natsdtest.Connect(t, natsdtest.Start(t, ""))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range subjects {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: list, Storage: jetstream.MemoryStorage}); err != nil {
			t.Fatal(err)
		}
	}
	return js
}

// store writes w as paynorm would.
func (w world) store(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	var previous []byte
	ordinal := int64(0)
	publish := func(subject string, m proto.Message) {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		previous = sum[:]
	}
	for bodies := range slices.Chunk(w.deliveries, deliveriesPerCommit) {
		ordinal++
		commit := &ledgerv1.Commit{Ordinal: ordinal, PreviousSha256: previous}
		for _, body := range bodies {
			commit.Deliveries = append(commit.Deliveries, &ledgerv1.Delivery{Body: body})
		}
		publish("paynorm.ledger.v1.commit", commit)
	}
	for _, m := range w.events {
		publish(m.subject, m.event)
	}
}

func paynormStreams(t *testing.T) jetstream.JetStream {
	t.Helper()
	return streams(t, map[string][]string{
		"PAYNORM_LEDGER": {"paynorm.ledger.v1.>"},
		"PAYNORM_EVENTS": {"payments.v1.>", "observations.v1.>", "quarantine.v1.>"},
	})
}

func TestStreamsOfPaynormAreReadToTheirEnd(t *testing.T) {
	js := paynormStreams(t)
	w := intact()
	w.store(t, js)
	c := verify.New(source(), w.outcomes)
	if err := verify.Paynorm(t.Context(), js, c); err != nil {
		t.Fatal(err)
	}
	if r := c.Report(); r.Err() != nil || r.Stored != 2000 || r.Events != 1999 {
		t.Errorf("%+v", r)
	}
}

func TestEmptyStreamsLackEverything(t *testing.T) {
	js := paynormStreams(t)
	c := verify.New(source(), intact().outcomes)
	if err := verify.Paynorm(t.Context(), js, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Report().Err(); err == nil || !strings.Contains(err.Error(), "is not stored (1998") {
		t.Errorf("got %v", err)
	}
}

func TestCommitThatDoesNotFollowAndNoticesAreFound(t *testing.T) {
	js := paynormStreams(t)
	w := intact()
	w.store(t, js)
	odd, err := proto.Marshal(&ledgerv1.Commit{Ordinal: 1})
	if err != nil {
		t.Fatal(err)
	}
	for subject, data := range map[string][]byte{"paynorm.ledger.v1.commit": odd, "quarantine.v1.clip.acme": nil} {
		if _, err := js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
	}
	c := verify.New(source(), w.outcomes)
	if err := verify.Paynorm(t.Context(), js, c); err != nil {
		t.Fatal(err)
	}
	want := "verification: the chain of commits is broken (1, for example commit 1 in place 287); " +
		"there is a message on the events' stream that is no event (1, for example quarantine.v1.clip.acme)"
	if got := fmt.Sprint(c.Report().Err()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLossesAndRepeatsOfTheBaselineAreFound(t *testing.T) {
	js := streams(t, map[string][]string{"EVENTS": {"payments.v1.>"}})
	w := intact()
	for seq := range uint64(2000) {
		copies, subject := 1, "payments.v1.live.clip.acme.payment.paid"
		switch seq {
		case 6, 1500:
			copies = 0
		case 1600:
			copies = 2
		case 1700:
			subject = "payments.v1.live.clip.acme2.payment.paid"
		}
		for range copies {
			data := fmt.Appendf(nil, `{"provider_attempt_id":"00000007-6c67-4000-8002-%012x"}`, seq)
			if _, err := js.Publish(t.Context(), subject, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := verify.New(source(), w.outcomes)
	if err := verify.Baseline(t.Context(), js, c, source().Attempt); err != nil {
		t.Fatal(err)
	}
	want := "verification: an event is on the wrong subject (1, for example payments.v1.live.clip.acme2.payment.paid, not below payments.v1.live.clip.acme.); " +
		"an acknowledged delivery is not stored (1, for example delivery 1500, 1 attempts); " +
		"a delivery is stored more often than it was sent (1, for example delivery 1600, 1 attempts)"
	if got := fmt.Sprint(c.Report().Err()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
