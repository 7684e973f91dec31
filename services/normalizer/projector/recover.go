package projector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// Recover brings view and event stream to the same end, whichever stopped first:
// a view that is behind reads the stream, and a stream that is behind, or gone,
// gets the same messages again from the view. What the view lacks of the ledger,
// Run reads again. Errors wrap ErrInconsistent when that cannot be.
func (p *Projector) Recover(ctx context.Context) error {
	p.recent.forget() // after a failure some are ahead of the view
	extent, err := p.o.Events.Extent(ctx)
	if err != nil {
		return err
	}
	at, err := p.o.View.Position(ctx)
	if errors.Is(err, view.ErrFilling) {
		at, err = view.Position{}, nil // a filling that failed begins again
	}
	if err != nil {
		return err
	}
	if err := p.check(ctx, extent, at); err != nil {
		return err
	}
	p.done.Store(at.LedgerSequence)
	switch {
	case at.Cursor > extent.Last:
		err = p.republish(ctx, extent.Last, at.Cursor)
	case at.Cursor < extent.Last:
		err = p.readEvents(ctx, at, extent.Last)
	}
	if err != nil {
		return err
	}
	// Another paynorm may have gone on meanwhile: then the first publish is refused, and Run
	// begins again from here. To start is no mistake.
	p.cursor, p.position = max(at.Cursor, extent.Last), nil
	if p.cursor > 0 {
		message, err := p.o.Events.Get(ctx, p.cursor)
		if err != nil {
			return err
		}
		p.position = message.Position()
	}
	p.o.Watchers.Reset(p.cursor)
	return nil
}

// republish publishes again what the view has and the stream lacks: the same
// messages at the same sequences.
func (p *Projector) republish(ctx context.Context, after, last int64) error {
	p.o.Logger.Warn("the event stream lacks what the view has: publishing it again", "from", after+1, "to", last)
	telling := newProgress(p.o, "publishing again", "events", last-after)
	for after < last {
		events, notices, err := p.o.View.Published(ctx, after, int(min(last-after, eventstream.MaxBatch)))
		if err != nil {
			return err
		}
		messages := merge(events, notices)
		if len(messages) == 0 || messages[0].Cursor() != after+1 {
			return fmt.Errorf("%w: the view has no message %d, and the event stream ends with %d: restore a backup of either", ErrInconsistent, after+1, after)
		}
		if err := p.o.Events.Publish(ctx, after, messages); err != nil {
			return err
		}
		after += int64(len(messages))
		telling.add(len(messages))
	}
	return nil
}

// merge returns events and notices in the order of their cursors.
func merge(events []*eventv1.PaymentStatusChanged, notices []*eventv1.QuarantineNotice) []eventstream.Message {
	messages := make([]eventstream.Message, 0, len(events)+len(notices))
	for _, e := range events {
		messages = append(messages, eventstream.Message{Event: e})
	}
	for _, n := range notices {
		messages = append(messages, eventstream.Message{Notice: n})
	}
	slices.SortFunc(messages, func(a, b eventstream.Message) int { return int(a.Cursor() - b.Cursor()) })
	return messages
}

const (
	// fillFrom is from how many events on an empty view is filled in bulk.
	fillFrom = 20_000
	// fillAtOnce is how many events a transaction takes then. About twice as many are
	// in memory, some 4 KB each.
	fillAtOnce = 4_000
	// fillKeep is about how many payments are kept back then, two or three times: more
	// cost the garbage collector more than they save.
	fillKeep = 2_500
)

// readEvents brings the view to the end of the stream. The view's position in the
// ledger stays, so that Run fills in what only the ledger tells.
func (p *Projector) readEvents(ctx context.Context, at view.Position, last int64) error {
	p.o.Logger.Info("the view is catching up with the events", "events", last-at.Cursor)
	if at != (view.Position{}) || last < fillFrom {
		return p.applyEvents(ctx, at.Cursor, last, 1, 0)
	}
	if err := p.o.View.BeginFill(ctx); err != nil {
		return err
	}
	if err := p.applyEvents(ctx, 0, last, fillAtOnce, fillKeep); err != nil {
		return err
	}
	p.o.Logger.Info("all events are in the view: its keys and indexes are being made")
	return p.o.View.EndFill(ctx)
}

// applyEvents applies the messages after a cursor up to and including last, atOnce or some more in one
// transaction. With a keep above 0 it may keep payments back (see folding) until a later transaction, the last at the latest.
func (p *Projector) applyEvents(ctx context.Context, after, last int64, atOnce, keep int) error {
	telling := newProgress(p.o, "the view is catching up with the events", "events", last-after)
	fold := folding{view: p.o.View, keep: keep}
	// So that the next transaction's are there when one is in the view.
	read := readAhead(ctx, p.o.Events, after, last, max(2, atOnce/eventstream.MaxBatch))
	defer read.close()
	for {
		messages, err := read.atLeast(atOnce)
		if errors.Is(err, eventstream.ErrHole) || errors.Is(err, eventstream.ErrNotKept) {
			return fmt.Errorf("%w: %w: %s", ErrInconsistent, err, deleteEvents)
		}
		if err != nil || len(messages) == 0 {
			return err
		}
		batch, err := fold.batch(ctx, messages, last)
		if err != nil {
			return err
		}
		if err := p.o.View.Apply(ctx, batch); err != nil {
			return err
		}
		telling.add(len(messages))
	}
}
