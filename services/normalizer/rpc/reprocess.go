package rpc

import (
	"cmp"
	"context"
	"slices"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/reprocess"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

const (
	// defaultReprocessed is how many deliveries ReprocessDeliveries looks at when it is not told.
	defaultReprocessed = 100
	// reprocessWithin bounds a call that has no deadline of its own.
	reprocessWithin = time.Minute
)

// ReprocessDelivery implements DeliveryService.
func (s *Deliveries) ReprocessDelivery(ctx context.Context, r *normalizerv1.ReprocessDeliveryRequest) (*normalizerv1.ReprocessDeliveryResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, reprocessWithin)
	defer cancel()
	d, err := (&shelf{ledger: s.ledger}).content(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	command := &ledgerv1.Reprocess{}
	changes, err := s.compare(ctx, d, command)
	if err != nil {
		return nil, err
	}
	out := &normalizerv1.ReprocessDeliveryResponse{}
	if !r.GetValidateOnly() && publishes(changes) {
		if out.LedgerSequence, err = s.command(ctx, command); err != nil {
			return nil, err
		}
		if err := s.addPublished(ctx, changes, out.LedgerSequence); err != nil {
			return nil, err
		}
	}
	for _, c := range changes {
		out.Items = append(out.Items, item(c))
	}
	return out, nil
}

// ReprocessDeliveries implements DeliveryService.
func (s *Deliveries) ReprocessDeliveries(ctx context.Context, r *normalizerv1.ReprocessDeliveriesRequest) (*normalizerv1.ReprocessDeliveriesResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, reprocessWithin)
	defer cancel()
	conditions, err := parse(ctx, s.schema, r.GetFilter())
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(int(r.GetMaxDeliveries()), defaultReprocessed)
	found, err := s.reader.DeliveriesAfter(ctx, 0, conditions, limit+1)
	if err != nil {
		return nil, err
	}
	out := &normalizerv1.ReprocessDeliveriesResponse{More: len(found) > limit}
	found = found[:min(limit, len(found))]
	out.DeliveryCount = int32(len(found))
	changed, command, err := s.compareAll(ctx, found)
	if err != nil {
		return nil, err
	}
	if !r.GetValidateOnly() && len(command.GetDeliveries()) > 0 {
		if out.LedgerSequence, err = s.command(ctx, command); err != nil {
			return nil, err
		}
	}
	for _, changes := range changed {
		if out.LedgerSequence > 0 && publishes(changes) {
			if err := s.addPublished(ctx, changes, out.LedgerSequence); err != nil {
				return nil, err
			}
		}
		for _, c := range changes {
			if c.Kind != reprocess.None {
				out.Items = append(out.Items, item(c))
			}
		}
	}
	out.Items = out.Items[:fit(out.Items, len(out.Items))]
	return out, nil
}

// compareAll compares deliveries whose content is there. The command names those
// of which something would be published.
func (s *Deliveries) compareAll(ctx context.Context, found []view.Delivery) (changed [][]reprocess.Change, command *ledgerv1.Reprocess, err error) {
	books := shelf{ledger: s.ledger}
	command = &ledgerv1.Reprocess{}
	for _, known := range found {
		d, err := books.content(ctx, known.Name)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		changes, err := s.compare(ctx, d, command)
		if err != nil {
			return nil, nil, err
		}
		changed = append(changed, changes)
	}
	return changed, command, nil
}

// compare compares d as command will. It adds to command what its endpoint
// expects today, and d when something would be published of it.
func (s *Deliveries) compare(ctx context.Context, d stored, command *ledgerv1.Reprocess) ([]reprocess.Change, error) {
	s.addAccounts(command, d)
	changes, err := reprocess.Compare(ctx, s.reader, s.normalizer, d.Delivery, d.at, command.GetAccounts())
	if publishes(changes) {
		command.Deliveries = append(command.Deliveries, d.at.Delivery())
	}
	return changes, err
}

// addAccounts adds the accounts that the endpoint of d expects today. Those of an
// endpoint that is gone stay as they were stored.
func (s *Deliveries) addAccounts(command *ledgerv1.Reprocess, d stored) {
	if slices.ContainsFunc(command.GetAccounts(), func(a *ledgerv1.EndpointAccounts) bool {
		return a.GetProvider() == d.GetProvider() && a.GetMerchant() == d.GetMerchant()
	}) {
		return
	}
	if e, err := s.endpoints.Find(d.GetProvider(), d.GetMerchant()); err == nil {
		command.Accounts = append(command.Accounts, &ledgerv1.EndpointAccounts{
			Provider: d.GetProvider(), Merchant: d.GetMerchant(), ExpectAccounts: e.ExpectAccounts,
		})
	}
}

// publishes reports whether an event would be published.
func publishes(changes []reprocess.Change) bool {
	return slices.ContainsFunc(changes, func(c reprocess.Change) bool {
		return c.Kind == reprocess.Released || c.Kind == reprocess.Corrected
	})
}

// command has deliveries reprocessed and returns when the outcome is published.
func (s *Deliveries) command(ctx context.Context, c *ledgerv1.Reprocess) (sequence int64, err error) {
	if id := access.From(ctx).ID; id != access.Anybody().ID { // else nobody has to say who they are
		c.Requester = id
	}
	at, err := s.ledger.Command(ctx, c)
	if err != nil {
		return 0, err
	}
	return at.Sequence, s.projection.Await(ctx, at.Sequence)
}

// addPublished replaces what changes of one delivery would publish by what the
// command published.
func (s *Deliveries) addPublished(ctx context.Context, changes []reprocess.Change, sequence int64) error {
	condition := filter.Condition{Field: filter.Delivery, Op: filter.Equal, Type: filter.Text, Text: changes[0].Delivery}
	// The newest of the delivery, as nobody else reprocesses it at the same time; if
	// somebody does, what is not found stays as it was foreseen.
	events, err := s.reader.Events(ctx, view.Query{Filter: filter.Conditions{condition}, Limit: len(changes)})
	if err != nil {
		return err
	}
	published := map[int]*eventv1.PaymentStatusChanged{}
	for _, e := range events {
		if at := e.GetLedgerPosition(); at.GetSequence() == sequence {
			published[int(at.GetItem())] = e
		}
	}
	for i, c := range changes {
		if e := published[c.Item]; e != nil {
			changes[i].After = e
		}
	}
	return nil
}

func item(c reprocess.Change) *normalizerv1.ReprocessedItem {
	return &normalizerv1.ReprocessedItem{
		Delivery: c.Delivery, Item: int32(c.Item), Change: change(c.Kind),
		Before: c.Before, After: c.After, Quarantined: c.Notice, ChangedFields: c.Fields,
	}
}

func change(k reprocess.Kind) normalizerv1.ReprocessChange {
	switch k {
	case reprocess.Released:
		return normalizerv1.ReprocessChange_REPROCESS_CHANGE_RELEASED
	case reprocess.Corrected:
		return normalizerv1.ReprocessChange_REPROCESS_CHANGE_CORRECTED
	case reprocess.Unsupported:
		return normalizerv1.ReprocessChange_REPROCESS_CHANGE_UNSUPPORTED
	default:
		return normalizerv1.ReprocessChange_REPROCESS_CHANGE_NONE
	}
}
