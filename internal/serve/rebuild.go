package serve

import (
	"context"
	"errors"
	"fmt"

	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// Rebuild deletes the view, and makes it anew from events and ledger. With
// events it deletes the event stream first, with the consumers of subscribers, and
// publishes everything again. paynorm must not be running.
func Rebuild(ctx context.Context, o Options, events bool) error {
	p, err := inPlace(ctx, o)
	if err != nil {
		return err
	}
	p.Logger = o.Logger // its progress is told there
	defer p.closers.close()
	s, err := p.openLedger(ctx, nobody)
	if errors.Is(err, errInUse) {
		return fmt.Errorf("%w: stop it first", err)
	}
	if err != nil {
		return err
	}
	defer s.ledger.Close()
	if err := p.forget(ctx, s, events); err != nil {
		return err
	}
	if err := p.openProjection(ctx, s); err != nil {
		return err
	}
	return s.projector.CatchUp(ctx)
}

// forget deletes what Rebuild makes anew, once it is sure that it can be made.
func (p *process) forget(ctx context.Context, s *stores, all bool) (err error) {
	var events *eventstream.Stream // nil: they are made anew too
	if !all {
		if events, err = p.openEvents(ctx); err != nil {
			return err
		}
	}
	if err := projector.Rebuildable(ctx, s.ledger, events); err != nil {
		return err
	}
	if all {
		if s.ring != nil && s.ring.Forgetful() {
			return fmt.Errorf("%w: the content of deliveries was erased, and what they told is in the events only, which would be lost. "+
				"Rebuild the view alone", projector.ErrInconsistent)
		}
		if err := eventstream.Delete(ctx, s.conn); err != nil {
			return err
		}
	}
	return view.Remove(p.file(viewFile))
}
