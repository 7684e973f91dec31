// Package projector derives events from the ledger. There is one projector, and
// it works in ledger order: that is why de-duplication, payment versions and
// late events need no locks and no time window.
package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
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

// Store is what the projector needs of the query view.
type Store interface {
	Position(ctx context.Context) (view.Position, error)
	Seen(ctx context.Context, events []string) (map[string]bool, error)
	States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error)
	Apply(ctx context.Context, b view.Batch) error
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
	Logger     *slog.Logger
}

// Projector runs from Run until its context ends.
type Projector struct {
	o        Options
	cursor   int64 // of the last message in stream and view
	position *eventv1.LedgerPosition
	done     atomic.Int64 // the last commit that is projected as a whole
}

// New returns a projector. Nothing happens before Recover and Run.
func New(o Options) *Projector { return &Projector{o: o} }

// Done returns the number of the last commit that is projected as a whole.
func (p *Projector) Done() int64 { return p.done.Load() }

// Recover brings the view to the end of the event stream, whichever stopped
// first. Errors wrap ErrInconsistent when that cannot be.
func (p *Projector) Recover(ctx context.Context) error {
	last, message, err := p.o.Events.Last(ctx)
	if err != nil {
		return err
	}
	at, err := p.o.View.Position(ctx)
	if err != nil {
		return err
	}
	if at.Cursor > last {
		return fmt.Errorf("%w: the view has seen event %d, but stream %s ends with %d; restore the stream, or delete the view to rebuild it",
			ErrInconsistent, at.Cursor, eventstream.Name, last)
	}
	// Asked after the events: another paynorm may be at work, and what it publishes is in the ledger by then.
	end, err := p.o.Ledger.End(ctx)
	if err != nil {
		return err
	}
	if seen := max(at.LedgerSequence, message.Position().GetSequence()); seen > end {
		return fmt.Errorf("%w: commit %d has been projected, but the ledger ends with %d: restore a backup of the ledger", ErrInconsistent, seen, end)
	}
	p.done.Store(at.LedgerSequence)
	if behind := last - at.Cursor; behind > 0 {
		p.o.Logger.Info("view is catching up with the events", "events", behind)
		if err := p.o.Events.ReadAfter(ctx, at.Cursor, last, func(m []eventstream.Message) error { return p.catchUp(ctx, m) }); err != nil {
			return err
		}
	}
	p.cursor, p.position = last, message.Position()
	// The commit of the last message may have been published in part.
	p.done.Store(max(at.LedgerSequence, p.position.GetSequence()-1))
	p.o.Watchers.Reset(last)
	return nil
}

// Run projects until ctx ends. It returns nil then, else an error that needs a
// person: ErrInconsistent or ledger.ErrDamaged. Everything else is tried again.
func (p *Projector) Run(ctx context.Context) error {
	for {
		err := p.follow(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		if errors.Is(err, ledger.ErrDamaged) || errors.Is(err, ErrInconsistent) {
			return err
		}
		for err != nil {
			p.o.Logger.Error("projection interrupted", "cause", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(retryAfter):
			}
			if err = p.Recover(ctx); errors.Is(err, ErrInconsistent) {
				return err
			}
		}
	}
}

func (p *Projector) follow(ctx context.Context) error {
	commits, err := p.o.Ledger.ReadAfter(ctx, p.done.Load())
	if err != nil {
		return err
	}
	defer commits.Close()
	for {
		next, err := commits.Next(ctx, eventstream.MaxBatch)
		if err != nil {
			return err
		}
		// What was begun is finished, also when paynorm is stopping: half a portion would only be done again.
		if err := p.project(context.WithoutCancel(ctx), next); err != nil {
			return err
		}
	}
}
