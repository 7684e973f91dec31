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
	deliveryOverhead    = 128      // room for a delivery's frame, and for what sealing adds
	minDuplicates       = 100 * time.Millisecond
)

// Observer learns of commits, for metrics.
type Observer interface {
	// Committed is called after a commit was acknowledged, with how many deliveries
	// and bytes it carries and how long its acknowledgement took, fsync included.
	Committed(deliveries, bytes int, took time.Duration)
}

// Options says how a ledger works.
type Options struct {
	Conn       *nats.Conn
	Replicas   int           // of the stream; 1 on an embedded server
	AckTimeout time.Duration // how long a commit may take before its deliveries are refused, and an answer to a question
	Now        func() time.Time
	Health     func(error) // told why the ledger refuses deliveries, and nil when it takes them again
	Sealer     Sealer      // encrypts what is stored; nil stores it in the clear
	Observer   Observer    // told of each commit; may be nil
	// Checkpoint is a file that witnesses how far the ledger was durable, for the next Open. "" keeps none.
	Checkpoint string
	// Trimmed says that Trim may have removed commits, so that a ledger without a checkpoint
	// need not begin with the first.
	Trimmed bool
	// Storage says why the server cannot write to its disk, nil when it can. A nil func knows nothing.
	Storage func() error
	Logger  *slog.Logger
}

// Place is where a delivery was stored.
type Place struct {
	Sequence int64 // of the commit
	Index    int   // of the delivery within the commit, from 0
}

// Ledger is open until Close.
type Ledger struct {
	o          Options
	js         jetstream.JetStream
	stream     jetstream.Stream
	limit      int // bytes of deliveries in one commit
	most       int // bytes of one delivery
	entries    chan *entry
	held       *held // commits for a follower
	bytes      atomic.Int64
	last       atomic.Int64        // the ordinal of the newest commit
	anchor     atomic.Pointer[tip] // the commit before the oldest one that is kept
	checkpoint *checkpoint
	trimming   sync.RWMutex // write-locked while commits are removed, read-locked while they must not be
	down       atomic.Pointer[error]
	stop       context.CancelFunc
	stopped    sync.WaitGroup
}

// entry is a delivery or a command that waits for its commit.
type entry struct {
	delivery *ledgerv1.Delivery
	command  *ledgerv1.Reprocess // nil for a delivery; a command has a commit of its own
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
// the writer. Errors wrap ErrDamaged when it is not, or ErrSealed.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, err
	}
	check, err := openCheckpoint(o.Checkpoint)
	if err != nil {
		return nil, err
	}
	stream, err := ensureStream(ctx, js, o.Replicas, check.known())
	if err != nil {
		return nil, err
	}
	found, err := settle(ctx, stream, check, o)
	if err != nil {
		return nil, err
	}
	payload := int(o.Conn.MaxPayload())
	l := &Ledger{
		o: o, js: js, stream: stream, checkpoint: check,
		limit:   min(maxCommitBytes, payload-commitOverhead),
		most:    payload - commitOverhead,
		entries: make(chan *entry, maxWaiting),
		held:    newHeld(),
	}
	l.last.Store(found.end.ordinal)
	l.anchor.Store(&found.anchor)
	if err := l.readable(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	l.stop = stop
	w := &writer{l: l, tip: found.end}
	l.stopped.Go(func() { w.run(run) })
	return l, nil
}

// settle checks the stream against the checkpoint, ends a trimming that was cut short, and
// brings the checkpoint up to date.
func settle(ctx context.Context, stream jetstream.Stream, check *checkpoint, o Options) (mark, error) {
	known := check.known()
	found, err := inspect(ctx, stream, known)
	if err != nil {
		return mark{}, err
	}
	if found.anchor.ordinal < known.anchor.ordinal {
		if err := purge(ctx, stream, known.anchor.ordinal+1); err != nil {
			return mark{}, err
		}
		if found, err = inspect(ctx, stream, known); err != nil {
			return mark{}, err
		}
	}
	if known.end.ordinal == 0 && found.anchor.ordinal > 0 {
		if !o.Trimmed {
			return mark{}, fmt.Errorf("%w: commits 1 to %d are missing at its begin. There is no checkpoint and no retention that says they were trimmed: "+
				"%s; if they were trimmed, start once with a retention for the ledger", ErrDamaged, found.anchor.ordinal, repair)
		}
		o.Logger.Warn("nothing is known about the commits before the oldest: there is no checkpoint", "oldest", found.anchor.ordinal+1, "checkpoint", o.Checkpoint)
	}
	if !found.anchor.equal(known.anchor) {
		if err := check.trimmed(found.anchor); err != nil {
			return mark{}, err
		}
	}
	if found.end.ordinal <= found.anchor.ordinal+1 {
		return found, nil
	}
	// The newest commit may have been cut short after its write and before its sync, so
	// that only the one before it is known to be durable.
	last, previous, err := readTip(ctx, stream, found.end.ordinal)
	if err != nil {
		return mark{}, err
	}
	return found, check.reached(tip{ordinal: last.ordinal - 1, sum: previous}, o.Now())
}

// readable reads the newest commit, so that a missing key is noticed before anything is accepted.
func (l *Ledger) readable(ctx context.Context) error {
	if l.last.Load() == 0 {
		return nil
	}
	_, err := l.Get(ctx, l.last.Load())
	return err
}

// Append stores d and returns once it is on disk or on a quorum. d must not be
// changed afterwards. Errors wrap ErrUnavailable, ErrOverloaded, ErrTooLarge or
// ctx's error; after ctx's error the delivery may or may not be stored.
func (l *Ledger) Append(ctx context.Context, d *ledgerv1.Delivery) (Place, error) {
	return l.submit(ctx, &entry{delivery: d, size: proto.Size(d) + deliveryOverhead})
}

// Command stores c, as a commit of its own in the order of arrival, as durably
// as Append and with its errors. The place has index 0.
func (l *Ledger) Command(ctx context.Context, c *ledgerv1.Reprocess) (Place, error) {
	return l.submit(ctx, &entry{command: c, size: proto.Size(c) + deliveryOverhead})
}

func (l *Ledger) submit(ctx context.Context, e *entry) (Place, error) {
	if cause := l.down.Load(); cause != nil {
		return Place{}, fmt.Errorf("%w: %w", ErrUnavailable, *cause)
	}
	e.done = make(chan struct{})
	if e.size > l.most {
		return Place{}, fmt.Errorf("%w (%d bytes)", ErrTooLarge, l.most+commitOverhead)
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
	if deeper := l.storage(); cause != nil && deeper != nil {
		cause = deeper
	}
	if cause == nil {
		l.down.Store(nil)
	} else {
		l.down.Store(&cause)
	}
	l.o.Health(cause)
}

// storage says why the server cannot write to its disk.
func (l *Ledger) storage() error {
	if l.o.Storage == nil {
		return nil
	}
	return l.o.Storage()
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
	ctx, cancel := l.briefly(ctx)
	defer cancel()
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
