package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// holding is a connection that holds back what is sent to one kind of subject, while
// everything else goes through: a server whose queue for it is long.
type holding struct {
	net.Conn
	mu   sync.Mutex
	hold string // the beginning of the subject; "" holds nothing
	held bytes.Buffer
}

func (h *holding) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hold != "" && bytes.Contains(b, []byte(h.hold)) {
		return h.held.Write(b)
	}
	return h.Conn.Write(b)
}

func (h *holding) set(hold string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold = hold
}

// release sends what was held back.
func (h *holding) release(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold = ""
	if h.held.Len() == 0 {
		t.Fatal("nothing was held back")
	}
	if _, err := h.held.WriteTo(h.Conn); err != nil {
		t.Fatal(err)
	}
}

// InProcessConn implements nats.InProcessConnProvider.
func (h *holding) InProcessConn() (net.Conn, error) { return h, nil }

// openHolding returns a ledger behind such a connection, and what gets a value whenever
// it accepts deliveries again.
func openHolding(t *testing.T) (*holding, *ledger.Ledger, <-chan struct{}) {
	t.Helper()
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	raw, err := s.InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	conn := &holding{Conn: raw}
	nc, err := nats.Connect("", nats.InProcessServer(conn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	back := make(chan struct{}, 16)
	l, err := ledger.Open(t.Context(), ledger.Options{
		Conn: nc, Replicas: 1, AckTimeout: 500 * time.Millisecond, Now: time.Now, Logger: quiet,
		Health: func(cause error) {
			if cause == nil {
				back <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return conn, l, back
}

func TestReadIsNotWaitedForLongerThanACommit(t *testing.T) {
	conn, l, _ := openHolding(t)
	fill(t, l, 1)
	conn.set("$JS.API.")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.Get(ctx, 1); !errors.Is(err, ledger.ErrUnavailable) || ctx.Err() != nil {
		t.Errorf("Get ends with %v, and the caller's time with %v; want ErrUnavailable before that", err, ctx.Err())
	}
}

// A commit that was given up arrives late, after the writer has looked and gone on.
// It stays, and the writer finds its way behind it.
func TestCommitThatArrivesLateDoesNotStopTheLedger(t *testing.T) {
	conn, l, back := openHolding(t)
	fill(t, l, 1)
	conn.set("paynorm.ledger.v1")
	for range 2 { // neither of them arrives in time
		if _, err := l.Append(t.Context(), delivery(2)); !errors.Is(err, ledger.ErrUnavailable) {
			t.Fatalf("got %v for a commit that is not acknowledged", err)
		}
		<-back
	}
	conn.release(t)
	// The next one is refused by the fence at most, and then it goes on.
	if _, err := l.Append(t.Context(), delivery(3)); err != nil {
		if !errors.Is(err, ledger.ErrUnavailable) {
			t.Fatal(err)
		}
		<-back
	}
	place, err := l.Append(t.Context(), delivery(4))
	if err != nil {
		t.Fatalf("the ledger does not take deliveries any more: %v", err)
	}
	if place.Sequence != 3 {
		t.Errorf("stored in commit %d, want 3: behind the late one", place.Sequence)
	}
	if got := read(t, l, 3); string(got[ledger.Place{Sequence: 2}].GetBody()) != `{"n":2}` {
		t.Errorf("commit 2 holds %s, want the late delivery", got[ledger.Place{Sequence: 2}].GetBody())
	}
}
