package projector

import (
	"context"
	"fmt"

	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// CatchUp recovers and projects all that is in the ledger when it begins. It
// tells how far it is in the log.
func (p *Projector) CatchUp(ctx context.Context) error {
	if err := p.Recover(ctx); err != nil {
		return err
	}
	end, err := p.o.Ledger.End(ctx)
	if err != nil || p.Done() >= end {
		return err
	}
	return p.follow(ctx, end)
}

// Rebuildable says whether the view can be deleted and is made again by CatchUp:
// from events and ledger, or from the ledger alone when events is nil. Errors
// wrap ErrInconsistent when something that it takes was trimmed.
func Rebuildable(ctx context.Context, l *ledger.Ledger, events *eventstream.Stream) error {
	first, err := l.First(ctx)
	if err != nil {
		return err
	}
	if first > 1 {
		return fmt.Errorf("%w: the ledger begins with commit %d; what the commits before it said is in the view only. "+
			"Restore a backup of view.db instead", ErrInconsistent, first)
	}
	if events == nil {
		return nil
	}
	if first, err = events.First(ctx); err != nil {
		return err
	}
	if first > 1 {
		return fmt.Errorf("%w: stream %s begins with event %d; the events before it are in the view only. "+
			"Restore a backup of view.db instead, or rebuild the events too, which publishes all of them again", ErrInconsistent, eventstream.Name, first)
	}
	return nil
}
