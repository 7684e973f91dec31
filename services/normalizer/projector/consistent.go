package projector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// deleteEvents says what to do when the event stream cannot be used.
const deleteEvents = "run paynorm rebuild --events, which makes the stream again, or restore a backup of it"

// check finds out whether ledger, events and view belong together and nothing is
// missing that cannot be made again. Errors wrap ErrInconsistent, or are those of reading.
func (p *Projector) check(ctx context.Context, extent eventstream.Extent, at view.Position) error {
	if n := extent.Missing(); n > 0 {
		return fmt.Errorf("%w: stream %s holds %d messages from %d to %d, so %d are missing: %s",
			ErrInconsistent, eventstream.Name, extent.Messages, extent.First, extent.Last, n, deleteEvents)
	}
	if extent.First > at.Cursor+1 {
		return fmt.Errorf("%w: events %d to %d were trimmed from stream %s, and the view has not seen them. "+
			"Their names are nowhere else, and without them repeats would be published again: restore a backup of view.db",
			ErrInconsistent, at.Cursor+1, extent.First-1, eventstream.Name)
	}
	first, err := p.o.Ledger.First(ctx)
	if err != nil {
		return err
	}
	if first > at.LedgerSequence+1 {
		return fmt.Errorf("%w: commits %d to %d were trimmed from the ledger, and the view has not seen them. "+
			"What they said is nowhere else: restore a backup of view.db", ErrInconsistent, at.LedgerSequence+1, first-1)
	}
	var newest eventstream.Message
	if extent.Messages > 0 {
		if newest, err = p.o.Events.Get(ctx, extent.Last); err != nil {
			return err
		}
	}
	if err := p.checkView(ctx, extent, at); err != nil {
		return err
	}
	// Asked after the events: another paynorm may be at work, and what it publishes is in the ledger by then.
	end, err := p.o.Ledger.End(ctx)
	if err != nil {
		return err
	}
	if seen := max(at.LedgerSequence, newest.Position().GetSequence()); seen > end {
		return fmt.Errorf("%w: commit %d has been projected, but the ledger ends with %d: restore a backup of the ledger", ErrInconsistent, seen, end)
	}
	return p.checkOrigin(ctx, newest)
}

// checkView compares the view with the stream where both have a message, and
// with the ledger where the stream has none.
func (p *Projector) checkView(ctx context.Context, extent eventstream.Extent, at view.Position) error {
	both := min(at.Cursor, extent.Last)
	if extent.Messages == 0 || both < extent.First {
		both = at.Cursor
	}
	if both == 0 {
		return nil
	}
	events, notices, err := p.o.View.Published(ctx, both-1, 1)
	if err != nil {
		return err
	}
	ours := merge(events, notices)
	if len(ours) == 0 {
		return fmt.Errorf("%w: the view has no message %d: delete view.db, it is rebuilt", ErrInconsistent, both)
	}
	theirs, err := p.o.Events.Get(ctx, both)
	if errors.Is(err, eventstream.ErrNotKept) {
		return p.checkOrigin(ctx, ours[0])
	}
	if err != nil {
		return err
	}
	if ours[0].Name() != theirs.Name() {
		return fmt.Errorf("%w: message %d is %s in the view and %s in stream %s: one of them is of another ledger; "+
			"delete view.db to rebuild it from the stream, or restore a backup of the stream", ErrInconsistent, both, ours[0].Name(), theirs.Name(), eventstream.Name)
	}
	return nil
}

// checkOrigin compares a message with the commit of the ledger that it says it
// comes from. A commit that was trimmed is taken on trust.
func (p *Projector) checkOrigin(ctx context.Context, m eventstream.Message) error {
	at := m.Position()
	if at.GetSequence() == 0 {
		return nil
	}
	c, err := p.o.Ledger.Get(ctx, at.GetSequence())
	if errors.Is(err, ledger.ErrNotKept) {
		return nil
	}
	if err != nil {
		return err
	}
	foreign := fmt.Errorf("%w: %s says that it comes from commit %d of the ledger, which is another one: "+
		"the events are of another ledger; restore what belongs together", ErrInconsistent, m.Name(), at.GetSequence())
	if named := c.GetReprocess().GetDeliveries(); c.GetReprocess() != nil {
		if int(at.GetDelivery()) >= len(named) || named[at.GetDelivery()] != m.Event.GetDelivery() {
			return foreign
		}
		return nil
	}
	if int(at.GetDelivery()) >= len(c.GetDeliveries()) {
		return foreign
	}
	d := c.GetDeliveries()[at.GetDelivery()]
	if n := m.Notice; n != nil {
		if n.GetProvider() != d.GetProvider() || n.GetMerchant() != d.GetMerchant() || !n.GetReceiveTime().AsTime().Equal(d.GetReceiveTime().AsTime()) {
			return foreign
		}
		return nil
	}
	sum := sha256.Sum256(d.GetBody())
	if !m.Event.GetCommitTime().AsTime().Equal(c.GetCommitTime().AsTime()) || !d.GetErased() && m.Event.GetRawSha256() != hex.EncodeToString(sum[:]) {
		return foreign
	}
	return nil
}
