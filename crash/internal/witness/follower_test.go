package witness_test

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/witness"
)

// streams are ledger and events on a server of their own.
type streams struct {
	ledger *ledger.Ledger
	events *eventstream.Stream
	url    string
	stored []history.Stored
}

// fill makes streams with n commits of one delivery, and an event of each.
func fill(t *testing.T, n int) *streams {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	server := natsdtest.Start(t, dir)
	nc := natsdtest.Connect(t, server)
	l, err := ledger.Open(t.Context(), ledger.Options{
		Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Now: time.Now,
		Health: func(error) {}, Checkpoint: filepath.Join(dir, "checkpoint.json"), Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	events, err := eventstream.Open(t.Context(), eventstream.Options{Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	s := &streams{ledger: l, events: events, url: "nats://" + server.Address()}
	var messages []eventstream.Message
	for i := range n {
		body := fmt.Appendf(nil, "body %d", i)
		place, err := l.Append(t.Context(), &ledgerv1.Delivery{Provider: "clip", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		s.stored = append(s.stored, history.Stored{Position: history.Position{Commit: place.Sequence}, Provider: "clip", Body: sha256.Sum256(body)})
		messages = append(messages, eventstream.Message{Event: &eventv1.PaymentStatusChanged{
			Name: fmt.Sprintf("events/e%d", i), Kind: eventv1.Kind_KIND_PAYMENT, Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE,
			Cursor: int64(i + 1), Disposition: eventv1.Disposition_DISPOSITION_APPLIED,
			Status:         &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
			LedgerPosition: &eventv1.LedgerPosition{Sequence: place.Sequence},
		}})
	}
	if err := events.Publish(t.Context(), 0, messages); err != nil {
		t.Fatal(err)
	}
	return s
}

// trim removes the first n commits and messages, but the newest ones.
func (s *streams) trim(t *testing.T, n int64) {
	t.Helper()
	if _, err := s.ledger.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, n); err != nil {
		t.Fatal(err)
	}
	if _, err := s.events.Trim(t.Context(), eventstream.Keep{MaxBytes: 1}, n); err != nil {
		t.Fatal(err)
	}
}

// published reads the events, with what f has read.
func published(t *testing.T, url string, f *witness.Follower) ([]history.Message, history.Kept, error) {
	t.Helper()
	nc, js, err := witness.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	return witness.Events(t.Context(), js, f)
}

// read reads the ledger, with what f has read.
func read(t *testing.T, url string, f *witness.Follower) ([]history.Stored, history.Kept, []int64) {
	t.Helper()
	nc, js, err := witness.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	all, kept, missed, err := witness.Ledger(t.Context(), js, f)
	if err != nil {
		t.Fatal(err)
	}
	return all, kept, missed
}

func follow(t *testing.T, url string) *witness.Follower {
	t.Helper()
	dir := t.TempDir()
	f, err := witness.Follow(t.Context(), url, filepath.Join(dir, "ledger"), filepath.Join(dir, "events"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// stop lets f read to the end.
func stop(t *testing.T, f *witness.Follower) {
	t.Helper()
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestFollowerRemembersWhatIsTrimmed(t *testing.T) {
	s := fill(t, 10)
	before, _, err := published(t, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := follow(t, s.url)
	stop(t, f)
	s.trim(t, 7)
	got, kept, missed := read(t, s.url, f)
	if diff := cmp.Diff(s.stored, got); diff != "" || kept.First != 8 || kept.Last != 10 || kept.Slack == 0 || len(missed) > 0 {
		t.Errorf("kept %+v, missed %v; (-want +got):\n%s", kept, missed, diff)
	}
	messages, kept, err := published(t, s.url, f)
	if diff := cmp.Diff(before, messages); diff != "" || err != nil || kept.First != 8 || kept.Last != 10 {
		t.Errorf("kept %+v, %v; (-want +got):\n%s", kept, err, diff)
	}
}

func TestFollowerTellsWhatItMissed(t *testing.T) {
	s := fill(t, 10)
	s.trim(t, 3)
	f := follow(t, s.url)
	stop(t, f)
	s.trim(t, 7)
	got, kept, missed := read(t, s.url, f)
	if diff := cmp.Diff(s.stored[3:], got); diff != "" || kept.First != 8 || !cmp.Equal(missed, []int64{1, 2, 3}) {
		t.Errorf("kept %+v, missed %v; (-want +got):\n%s", kept, missed, diff)
	}
	if _, _, err := published(t, s.url, f); err == nil {
		t.Error("nothing is said of the events that were missed")
	}
}

func TestWithoutFollowerNothingMayBeMissing(t *testing.T) {
	s := fill(t, 10)
	got, kept, _ := read(t, s.url, nil)
	if diff := cmp.Diff(s.stored, got); diff != "" || kept.First != 1 {
		t.Errorf("kept %+v; (-want +got):\n%s", kept, diff)
	}
	s.trim(t, 7)
	nc, js, err := witness.Connect(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, _, _, err := witness.Ledger(t.Context(), js, nil); err == nil {
		t.Error("a ledger without its first commits passes")
	}
}
