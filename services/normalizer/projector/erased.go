package projector

import (
	"context"
	"errors"
	"math"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// told returns what the commit numbered sequence published of an erased delivery,
// as items that are taken as they are: what its payments became is known by its
// events only. sequence is that of its own commit, or of a command.
func (p *Projector) told(ctx context.Context, d *ledgerv1.Delivery, origin normalize.Place, sequence int64) (items []item, err error) {
	if p.published == nil {
		return nil, nil
	}
	messages, err := publishedOf(ctx, p.published, origin.Delivery())
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if at := m.Position(); at.GetSequence() == sequence {
			items = append(items, item{
				Item: normalize.Item{Index: int(at.GetItem()), Event: m.Event, Notice: m.Notice}, provider: d.GetProvider(),
				origin: origin, position: at, given: true,
			})
		}
	}
	return items, nil
}

// publishedOf returns all that was published of a delivery, in the order of the cursors.
func publishedOf(ctx context.Context, v *view.View, delivery string) ([]eventstream.Message, error) {
	known, err := v.Delivery(ctx, delivery)
	if errors.Is(err, view.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	events, err := v.EventsAfter(ctx, 0, filter.Conditions{{Field: filter.Delivery, Op: filter.Equal, Type: filter.Text, Text: delivery}}, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	var notices []*eventv1.QuarantineNotice
	for _, o := range known.Outcomes {
		if o.Notice != nil {
			notices = append(notices, o.Notice)
		}
	}
	return merge(events, notices), nil
}
