package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/proto"
)

func open(t testing.TB, s *natsd.Server) *ledger.Ledger {
	t.Helper()
	l, err := openIn(t, s, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// openIn opens a ledger with its checkpoint in dir, "" for none.
func openIn(t testing.TB, s *natsd.Server, dir string, sealer ledger.Sealer) (*ledger.Ledger, error) {
	t.Helper()
	o := ledger.Options{
		Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: ackTimeout,
		Now: time.Now, Health: func(error) {}, Sealer: sealer, Logger: quiet,
	}
	if dir != "" {
		o.Checkpoint = filepath.Join(dir, "checkpoint.json")
	}
	l, err := ledger.Open(t.Context(), o)
	if err == nil {
		t.Cleanup(l.Close)
	}
	return l, err
}

const ackTimeout = 5 * time.Second

var quiet = slog.New(slog.DiscardHandler)

func delivery(n int) *ledgerv1.Delivery {
	return &ledgerv1.Delivery{Provider: "clip", Merchant: "acme", Body: fmt.Appendf(nil, `{"n":%d}`, n)}
}

// read returns all deliveries of the ledger by their place.
func read(t *testing.T, l *ledger.Ledger, want int) map[ledger.Place]*ledgerv1.Delivery {
	t.Helper()
	r, err := l.ReadAfter(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	found := map[ledger.Place]*ledgerv1.Delivery{}
	for len(found) < want {
		commits, err := r.Next(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			for i, d := range c.GetDeliveries() {
				found[ledger.Place{Sequence: c.GetOrdinal(), Index: i}] = d
			}
		}
	}
	return found
}

func TestEachAppendedDeliveryIsStoredOnceWhereItWasPromised(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	const n = 500
	var mu sync.Mutex
	var senders sync.WaitGroup
	promised := map[ledger.Place]*ledgerv1.Delivery{}
	for i := range n {
		senders.Go(func() {
			d := delivery(i)
			place, err := l.Append(t.Context(), d)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if promised[place] != nil {
				t.Errorf("place %v was promised twice", place)
			}
			promised[place] = d
		})
	}
	senders.Wait()
	stored := read(t, l, n)
	if len(stored) != n {
		t.Errorf("%d deliveries stored, want %d", len(stored), n)
	}
	for place, d := range promised {
		if !proto.Equal(stored[place], d) {
			t.Errorf("at %v stands %v, want %v", place, stored[place], d)
		}
	}
}

func TestChainGoesOnAfterARestart(t *testing.T) {
	store := t.TempDir()
	for run := range 2 {
		s := natsdtest.Start(t, store)
		l := open(t, s)
		place, err := l.Append(t.Context(), delivery(run))
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(run + 1); place.Sequence != want {
			t.Errorf("run %d: stored in commit %d, want %d", run, place.Sequence, want)
		}
		if got := read(t, l, run+1); len(got) != run+1 {
			t.Errorf("run %d: %d deliveries, want %d", run, len(got), run+1)
		}
		l.Close()
		s.Shutdown()
	}
}

// The server takes a thousand consumers of a stream.
func TestClosedReaderLeavesNoConsumer(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	if _, err := l.Append(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	read(t, l, 1)
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), ledger.Stream)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Consumers; n != 0 {
		t.Errorf("%d consumers are left, want none", n)
	}
}

func TestStoppedServerRefusesAtOnce(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	if _, err := l.Append(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if _, err := l.Append(ctx, delivery(2)); !errors.Is(err, ledger.ErrUnavailable) || ctx.Err() != nil {
		t.Errorf("got %v (context: %v), want ErrUnavailable before the context ends", err, ctx.Err())
	}
	if l.Health() == nil {
		t.Error("Health says the ledger is well")
	}
}

func TestDeliveryAboveMaxPayloadIsRefused(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	_, err := l.Append(t.Context(), &ledgerv1.Delivery{Body: make([]byte, natsd.MaxPayload)})
	if !errors.Is(err, ledger.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

func TestLargeDeliveriesSplitIntoSeveralCommits(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			if _, err := l.Append(t.Context(), &ledgerv1.Delivery{Body: make([]byte, 3<<20)}); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	if got := read(t, l, 8); len(got) != 8 {
		t.Errorf("%d deliveries, want 8", len(got))
	}
}

func TestForeignCommitIsNotBuiltUpon(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	if _, err := l.Append(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := proto.Marshal(&ledgerv1.Commit{Ordinal: 2, Deliveries: []*ledgerv1.Delivery{delivery(9)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "paynorm.ledger.v1.commit", forged); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), delivery(2)); !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("append after a foreign commit: got %v, want ErrUnavailable", err)
	}
	r, err := l.ReadAfter(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		if _, err = r.Next(t.Context(), 1); err != nil {
			break
		}
	}
	if !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("reading: got %v, want ErrDamaged", err)
	}
}
