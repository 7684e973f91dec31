// Package projector derives events from the ledger. There is one projector, and
// it works in ledger order: that is why de-duplication, payment versions and
// late events need no locks and no time window.
package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/tracing"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// ErrInconsistent says that ledger, events and view do not belong together. The
// text says what is missing and what to do.
var ErrInconsistent = errors.New("ledger, events and view do not belong together")

// retryAfter is how long the projector waits after a failure before it brings
// view and stream to the same position and goes on.
const retryAfter = 250 * time.Millisecond

// Store is what the projector needs of the query view; see view.View.
type Store interface {
	Position(ctx context.Context) (view.Position, error)
	Seen(ctx context.Context, events []string) (map[string]view.Origin, error)
	States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error)
	Apply(ctx context.Context, b view.Batch) error
	Delivery(ctx context.Context, name string) (view.Delivery, error)
	Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error)
	Published(ctx context.Context, after int64, n int) ([]*eventv1.PaymentStatusChanged, []*eventv1.QuarantineNotice, error)
	BeginFill(ctx context.Context) error
	EndFill(ctx context.Context) error
}

// Observer learns what was projected, for metrics.
type Observer interface {
	// Projected is called for each item: an event, a notice or a skip of the
	// provider, or an event that was known already.
	Projected(provider string, it normalize.Item, duplicate bool)
	// Drifted is called with the members of a delivery that are not as the
	// provider documents, and with its time of receipt.
	Drifted(provider string, members []string, at time.Time)
}

// Watchers are told of new events after they are in stream and view; see watch.Hub.
type Watchers interface {
	Publish(events []*eventv1.PaymentStatusChanged, head int64)
	Reset(head int64)
}

// Options says what a projector works with.
type Options struct {
	Ledger     *ledger.Ledger
	Normalizer *normalize.Normalizer
	Events     *eventstream.Stream
	View       Store
	Observer   Observer
	Watchers   Watchers
	Tracer     *tracing.Tracer  // nil: nothing is traced
	Now        func() time.Time // for the pace, and the progress of long work
	Logger     *slog.Logger
}

// publisher takes messages in order; see eventstream.Stream.Publish.
type publisher interface {
	Encode(messages []eventstream.Message) error
	Publish(ctx context.Context, last int64, messages []eventstream.Message) error
}

// Projector runs from Run until its context ends.
type Projector struct {
	o      Options
	events publisher
	// published is asked for what was published of deliveries whose content is gone; nil leaves it out.
	published *view.View
	// progressed is called after some commits are projected; may be nil.
	progressed func()

	cursor   int64 // of the last message in stream and view
	position *eventv1.LedgerPosition
	recent   recent
	outage   outage
	done     atomic.Int64 // the last commit that is projected as a whole

	mu   sync.Mutex
	wake chan struct{} // closed when done moves; nil when nobody waits
}

// New returns a projector. Nothing happens before Recover and Run.
func New(o Options) *Projector {
	return &Projector{o: o, events: o.Events, outage: outage{logger: o.Logger, now: o.Now}}
}

// Done returns the number of the last commit that is projected as a whole.
func (p *Projector) Done() int64 { return p.done.Load() }

// Oldest returns when the oldest commit was made that is not projected; the zero time
// when all are. It asks the stream only for what is not in memory: for ten seconds
// after it was read from, NATS keeps every block of a stream that is being written.
// Errors are those of Ledger.Get.
func (p *Projector) Oldest(ctx context.Context) (time.Time, error) {
	for {
		done := p.done.Load()
		if p.o.Ledger.Last() <= done {
			return time.Time{}, nil
		}
		if c := p.o.Ledger.Held(done + 1); c != nil {
			return c.GetCommitTime().AsTime(), nil
		}
		if p.done.Load() != done { // it is projected by now
			continue
		}
		c, err := p.o.Ledger.Get(ctx, done+1)
		return c.GetCommitTime().AsTime(), err
	}
}

// Await returns when the commit numbered sequence is projected, or with ctx's error.
func (p *Projector) Await(ctx context.Context, sequence int64) error {
	for {
		p.mu.Lock()
		if p.wake == nil {
			p.wake = make(chan struct{})
		}
		wake := p.wake
		p.mu.Unlock()
		if p.done.Load() >= sequence {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Projector) setDone(sequence int64) {
	p.done.Store(sequence)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wake != nil {
		close(p.wake)
		p.wake = nil
	}
}

// Run projects until ctx ends. It returns nil then, else an error that needs a
// person: ErrInconsistent or ledger.ErrDamaged. Everything else is tried again.
func (p *Projector) Run(ctx context.Context) error {
	for {
		err := p.follow(ctx, 0)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		if needsPerson(err) {
			return err
		}
		for err != nil {
			p.outage.failed(err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(retryAfter):
			}
			if err = p.Recover(ctx); needsPerson(err) {
				return err
			}
		}
	}
}

func needsPerson(err error) bool {
	return errors.Is(err, ledger.ErrDamaged) || errors.Is(err, ErrInconsistent)
}

// follow projects what is in the ledger and what arrives, until ctx ends, or
// until the commit numbered until is projected; 0 is no end.
func (p *Projector) follow(ctx context.Context, until int64) error {
	end, err := p.o.Ledger.End(ctx)
	if err != nil {
		return err
	}
	telling := newProgress(p.o, "projecting the ledger", "commits", end-p.done.Load())
	commits, err := p.o.Ledger.Follow(ctx, p.done.Load())
	if err != nil {
		return err
	}
	defer commits.Close()
	for until == 0 || p.done.Load() < until {
		next, err := commits.Next(ctx, portion)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			if err := p.intact(ctx); err != nil {
				return err
			}
			p.outage.over()
			continue
		}
		began := p.o.Now()
		// What was begun is finished, also when paynorm is stopping: half a portion would only be done again.
		if err := p.project(context.WithoutCancel(ctx), next); err != nil {
			return err
		}
		p.outage.over()
		telling.add(len(next))
		if p.progressed != nil {
			p.progressed()
		}
		p.rest(ctx, began, len(next))
	}
	return nil
}

// intact makes sure that the event stream ends where the projector left it, also
// when no delivery comes: somebody may have deleted it.
func (p *Projector) intact(ctx context.Context) error {
	extent, err := p.o.Events.Extent(ctx)
	if err == nil && extent.Last != p.cursor {
		err = fmt.Errorf("the event stream ends with message %d, not %d", extent.Last, p.cursor)
	}
	return err
}
