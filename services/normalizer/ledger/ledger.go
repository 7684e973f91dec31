// Package ledger is the append-only record of every accepted webhook, and the
// only truth: everything else can be rebuilt from it. It groups what arrives
// while one commit is being synced into the next, so that one fsync carries
// many deliveries and a lone one never waits.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

var (
	// ErrUnavailable says that the delivery was not acknowledged as durable. The sender must send it again.
	ErrUnavailable = errors.New("the ledger is not available")
	// ErrOverloaded says that too much is waiting to be written; nothing was stored.
	ErrOverloaded = errors.New("the ledger is overloaded")
	// ErrTooLarge says that the delivery does not fit into a message of the NATS server; nothing was stored.
	ErrTooLarge = errors.New("the delivery is larger than the NATS server's max_payload allows")
)

const (
	maxCommitDeliveries = 4096
	maxCommitBytes      = 4 << 20
	maxWaiting          = 8192     // deliveries
	maxWaitingBytes     = 32 << 20 // of deliveries
	commitOverhead      = 64 << 10 // room for the commit's own members and the protocol
	minDuplicates       = 100 * time.Millisecond
)

// Options says how a ledger works.
type Options struct {
	Conn       *nats.Conn
	Replicas   int           // of the stream; 1 on an embedded server
	AckTimeout time.Duration // how long a commit may take before its deliveries are refused
	Now        func() time.Time
	Health     func(error) // told why the ledger refuses deliveries, and nil when it takes them again
	Logger     *slog.Logger
}

// Place is where a delivery was stored.
type Place struct {
	Sequence int64 // of the commit
	Index    int   // of the delivery within the commit, from 0
}

// Ledger is open until Close.
type Ledger struct {
	o       Options
	js      jetstream.JetStream
	stream  jetstream.Stream
	limit   int // bytes of deliveries in one commit
	entries chan *entry
	bytes   atomic.Int64
	last    atomic.Int64 // the ordinal of the newest commit
	down    atomic.Pointer[error]
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// entry is a delivery that waits for its commit.
type entry struct {
	delivery *ledgerv1.Delivery
	size     int
	state    atomic.Int32 // waiting, taken or abandoned
	done     chan struct{}
	place    Place
	err      error
}

const (
	waiting = iota
	taken
	abandoned
)

// Open makes sure that the stream exists, checks that it is whole and starts
// the writer. Errors wrap ErrDamaged when it is not.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, err
	}
	stream, err := ensureStream(ctx, js, o.Replicas)
	if err != nil {
		return nil, err
	}
	end, err := readTip(ctx, stream)
	if err != nil {
		return nil, err
	}
	payload := int(o.Conn.MaxPayload())
	l := &Ledger{
		o: o, js: js, stream: stream,
		limit:   min(maxCommitBytes, payload-commitOverhead),
		entries: make(chan *entry, maxWaiting),
	}
	l.last.Store(end.ordinal)
	run, stop := context.WithCancel(context.Background())
	l.stop = stop
	w := &writer{l: l, tip: end, payload: payload}
	l.stopped.Go(func() { w.run(run) })
	return l, nil
}

// Append stores d and returns once it is on disk or on a quorum. d must not be
// changed afterwards. Errors wrap ErrUnavailable, ErrOverloaded, ErrTooLarge or
// ctx's error; after ctx's error the delivery may or may not be stored.
func (l *Ledger) Append(ctx context.Context, d *ledgerv1.Delivery) (Place, error) {
	if cause := l.down.Load(); cause != nil {
		return Place{}, fmt.Errorf("%w: %w", ErrUnavailable, *cause)
	}
	e := &entry{delivery: d, size: proto.Size(d), done: make(chan struct{})}
	if e.size > int(l.o.Conn.MaxPayload())-commitOverhead {
		return Place{}, fmt.Errorf("%w (%d bytes)", ErrTooLarge, l.o.Conn.MaxPayload())
	}
	if l.bytes.Add(int64(e.size)) > maxWaitingBytes+int64(e.size) {
		l.bytes.Add(-int64(e.size))
		return Place{}, fmt.Errorf("%w: more than %d bytes wait", ErrOverloaded, maxWaitingBytes)
	}
	select {
	case l.entries <- e:
	default:
		l.bytes.Add(-int64(e.size))
		return Place{}, fmt.Errorf("%w: more than %d deliveries wait", ErrOverloaded, maxWaiting)
	}
	select {
	case <-e.done:
		return e.place, e.err
	case <-ctx.Done():
		if e.state.CompareAndSwap(waiting, abandoned) {
			return Place{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
		// The commit is on its way; its outcome comes within AckTimeout.
		<-e.done
		return e.place, e.err
	}
}

// setDown says why deliveries are refused, nil when they are taken again.
func (l *Ledger) setDown(cause error) {
	if cause == nil {
		l.down.Store(nil)
	} else {
		l.down.Store(&cause)
	}
	l.o.Health(cause)
}

// Health returns nil while the ledger can be written to, else why not.
func (l *Ledger) Health() error {
	if cause := l.down.Load(); cause != nil {
		return *cause
	}
	return nil
}

// Last returns the number of the newest commit that this process has written or
// found when it started, 0 when there is none.
func (l *Ledger) Last() int64 { return l.last.Load() }

// End asks the stream for the number of its newest commit, whoever has written it.
// Errors wrap ErrUnavailable.
func (l *Ledger) End(ctx context.Context) (int64, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return int64(info.State.LastSeq), nil
}

// Waiting returns how many deliveries wait for a commit.
func (l *Ledger) Waiting() int { return len(l.entries) }

// Close refuses what still waits and stops the writer after the commit in work.
func (l *Ledger) Close() {
	l.stop()
	l.stopped.Wait()
}
