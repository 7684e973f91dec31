package rpc

import (
	"cmp"
	"context"
	"errors"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/proto"
)

// maxFullPage is the largest page of deliveries with their content.
const maxFullPage = 50

// DeliveryReader is what the delivery service reads from; see view.View.
type DeliveryReader interface {
	Delivery(ctx context.Context, name string) (view.Delivery, error)
	Deliveries(ctx context.Context, q view.Query) ([]view.Delivery, error)
	DeliveriesAfter(ctx context.Context, key int64, f filter.Conditions, limit int) ([]view.Delivery, error)
	Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error)
	Events(ctx context.Context, q view.Query) ([]*eventv1.PaymentStatusChanged, error)
	Seen(ctx context.Context, events []string) (map[string]view.Origin, error)
}

// Commands makes commands durable and reads what they are about; see ledger.Ledger.
type Commands interface {
	LedgerReader
	Command(ctx context.Context, c *ledgerv1.Reprocess) (ledger.Place, error)
}

// Projection says how far events are published; see projector.Projector.
type Projection interface {
	// Await returns when the commit numbered sequence is projected, or ctx's error.
	Await(ctx context.Context, sequence int64) error
}

// EndpointFinder knows what is configured today; see endpoint.Registry.
type EndpointFinder interface {
	// Find returns the endpoint of a provider and merchant, or an error when there is none.
	Find(providerID, merchant string) (*endpoint.Endpoint, error)
}

// Deliveries serves DeliveryService.
type Deliveries struct {
	normalizerv1.UnimplementedDeliveryServiceServer
	reader     DeliveryReader
	ledger     Commands
	projection Projection
	normalizer *normalize.Normalizer
	endpoints  EndpointFinder
	schema     filter.Schema
}

// NewDeliveries returns the delivery service.
func NewDeliveries(reader DeliveryReader, l Commands, p Projection, n *normalize.Normalizer, endpoints EndpointFinder) *Deliveries {
	return &Deliveries{reader: reader, ledger: l, projection: p, normalizer: n, endpoints: endpoints, schema: filter.Deliveries()}
}

// GetDelivery implements DeliveryService.
func (s *Deliveries) GetDelivery(ctx context.Context, r *normalizerv1.GetDeliveryRequest) (*normalizerv1.Delivery, error) {
	// The view first: what is projected meanwhile is in the ledger anyway.
	known, err := s.reader.Delivery(ctx, r.GetName())
	projected := err == nil
	if err != nil && !errors.Is(err, view.ErrNotFound) {
		return nil, err
	}
	d, err := (&shelf{ledger: s.ledger}).named(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	out := d.resource(r.GetView() == normalizerv1.DeliveryView_DELIVERY_VIEW_FULL)
	if projected {
		out.Outcomes = s.withSkips(outcomes(known), d)
	}
	return out, nil
}

// ListDeliveries implements DeliveryService.
func (s *Deliveries) ListDeliveries(ctx context.Context, r *normalizerv1.ListDeliveriesRequest) (*normalizerv1.ListDeliveriesResponse, error) {
	conditions, err := parse(ctx, s.schema, r.GetFilter())
	if err != nil {
		return nil, err
	}
	before, err := pageStart("ListDeliveries", r.GetFilter(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	full := r.GetView() == normalizerv1.DeliveryView_DELIVERY_VIEW_FULL
	size := pageSize(r.GetPageSize())
	if full {
		size = min(size, maxFullPage)
	}
	found, err := s.reader.Deliveries(ctx, view.Query{Filter: conditions, Before: before, Limit: size + 1})
	if err != nil {
		return nil, err
	}
	page := &normalizerv1.ListDeliveriesResponse{}
	if page.Deliveries, err = s.page(ctx, found[:min(size, len(found))], full); err != nil {
		return nil, err
	}
	if n := len(page.Deliveries); n < len(found) {
		page.NextPageToken = nextPage("ListDeliveries", r.GetFilter(), found[n-1].Key())
	}
	return page, nil
}

// page reads deliveries from the ledger, as many as are not too large together,
// but one at least.
func (s *Deliveries) page(ctx context.Context, found []view.Delivery, full bool) ([]*normalizerv1.Delivery, error) {
	books := shelf{ledger: s.ledger}
	var all []*normalizerv1.Delivery
	bytes := 0
	for _, known := range found {
		d, err := summary(ctx, &books, known, full)
		if err != nil {
			return nil, err
		}
		d.Outcomes = outcomes(known)
		if bytes += proto.Size(d); bytes > maxPageBytes && len(all) > 0 {
			break
		}
		all = append(all, d)
	}
	return all, nil
}

// summary is a delivery that the view knows, as far as the ledger still keeps it.
func summary(ctx context.Context, books *shelf, known view.Delivery, full bool) (*normalizerv1.Delivery, error) {
	d, err := books.delivery(ctx, normalize.Place{Sequence: known.Sequence, Index: known.Index})
	if errors.Is(err, view.ErrNotFound) {
		return forgotten(known), nil
	}
	if err != nil {
		return nil, err
	}
	return d.resource(full), nil
}

// outcomes is what came of the items of a delivery, skips aside.
func outcomes(d view.Delivery) []*normalizerv1.Outcome {
	var all []*normalizerv1.Outcome
	for _, o := range d.Outcomes {
		out := &normalizerv1.Outcome{Item: int32(o.Item), ReleasedAs: o.ReleasedAs}
		switch {
		case o.Notice != nil:
			out.Result = &normalizerv1.Outcome_Quarantined{Quarantined: o.Notice}
		case o.RepeatOf != "":
			out.Result = &normalizerv1.Outcome_RepeatOf{RepeatOf: o.RepeatOf}
		default:
			out.Result = &normalizerv1.Outcome_Event{Event: o.Event}
		}
		all = append(all, out)
	}
	return all
}

// withSkips adds the items of d that had nothing to publish. They are not
// recorded, so they are those that the mapping of today skips.
func (s *Deliveries) withSkips(known []*normalizerv1.Outcome, d stored) []*normalizerv1.Outcome {
	if d.GetErased() {
		return known
	}
	recorded := map[int32]bool{}
	for _, o := range known {
		recorded[o.GetItem()] = true
	}
	items, _ := s.normalizer.Items(d.Delivery, d.at)
	for _, it := range items {
		if i := int32(it.Index); it.Skip != nil && !recorded[i] {
			known = append(known, &normalizerv1.Outcome{Item: i, Result: &normalizerv1.Outcome_Skipped{Skipped: it.Skip.Reason}})
		}
	}
	slices.SortFunc(known, func(a, b *normalizerv1.Outcome) int { return cmp.Compare(a.GetItem(), b.GetItem()) })
	return known
}
