package projector

import (
	"context"
	"errors"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/reprocess"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// command says what a command of the ledger asks to publish: events for items
// that had none, and corrections. An event stands at the place of the command.
func (p *Projector) command(ctx context.Context, c *ledgerv1.Commit) (work, error) {
	w := work{whole: c.GetOrdinal()}
	named := map[string]bool{}
	stored := &ledgerv1.Commit{}
	for i, name := range c.GetReprocess().GetDeliveries() {
		origin, ok := normalize.ParseDelivery(name)
		if !ok || named[name] || origin.Sequence >= c.GetOrdinal() {
			continue
		}
		named[name] = true
		if stored.GetOrdinal() != origin.Sequence {
			found, err := p.o.Ledger.Get(ctx, origin.Sequence)
			if errors.Is(err, ledger.ErrNotKept) {
				continue
			}
			if err != nil {
				return work{}, err
			}
			stored = found
		}
		if origin.Index >= len(stored.GetDeliveries()) {
			continue
		}
		origin.CommitTime = stored.GetCommitTime()
		d := stored.GetDeliveries()[origin.Index]
		if d.GetErased() {
			told, err := p.told(ctx, d, origin, c.GetOrdinal())
			if err != nil {
				return work{}, err
			}
			w.items = append(w.items, told...)
			continue
		}
		changes, err := reprocess.Compare(ctx, p.o.View, p.o.Normalizer, d, origin, c.GetReprocess().GetAccounts())
		if errors.Is(err, view.ErrNotFound) {
			continue // not in the view, so nothing was published of it that could be compared
		}
		if err != nil {
			return work{}, err
		}
		at := normalize.Place{Sequence: c.GetOrdinal(), Index: i}
		for _, change := range changes {
			if change.Kind == reprocess.Released || change.Kind == reprocess.Corrected {
				w.items = append(w.items, p.change(change, d, origin, at))
			}
		}
	}
	return w, nil
}

// change makes the item to publish of a change. at is the place of the command's mention of the delivery.
func (p *Projector) change(c reprocess.Change, d *ledgerv1.Delivery, origin, at normalize.Place) item {
	position := at.Item(c.Item)
	if c.After.GetCursor() == 0 { // else it is the event of a fact that the item only repeats
		c.After.LedgerPosition = position
	}
	it := item{
		Item: normalize.Item{Index: c.Item, Event: c.After, IfPaid: c.IfPaid}, provider: d.GetProvider(),
		origin: origin, position: position, published: !after(position, p.position), command: true,
	}
	if c.Kind == reprocess.Corrected {
		it.before = c.Before
		it.Event.Name = normalize.CorrectionName(c.Before.GetName(), at.Sequence)
	}
	return it
}
