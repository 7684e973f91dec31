package rpc

import (
	"cmp"
	"context"
	"fmt"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// exampleMerchant is the merchant of a webhook that names none.
const exampleMerchant = "example"

// StateReader is what a dry run reads from; see view.View.
type StateReader interface {
	Seen(ctx context.Context, events []string) (map[string]view.Origin, error)
	States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error)
}

// NormalizeDelivery implements NormalizerService.
func (n *Normalizer) NormalizeDelivery(ctx context.Context, r *normalizerv1.NormalizeDeliveryRequest) (*normalizerv1.NormalizeDeliveryResponse, error) {
	d, err := n.source(ctx, r)
	if err != nil {
		return nil, err
	}
	items, drift := n.Normalize.Items(d.Delivery, d.at)
	// The default merchant may be one that the caller does not see.
	sees := access.From(ctx).Sees(d.GetProvider(), d.GetMerchant())
	var events, payments []string
	for _, it := range items {
		if it.Event != nil && sees {
			events = append(events, it.Event.GetName())
			payments = append(payments, it.Event.GetPayment())
		}
	}
	seen, err := n.States.Seen(ctx, events)
	if err != nil {
		return nil, err
	}
	states, err := n.States.States(ctx, payments)
	if err != nil {
		return nil, err
	}
	out := &normalizerv1.NormalizeDeliveryResponse{SchemaDrifts: drift}
	told := map[string]bool{} // by this delivery
	for name := range seen {
		told[name] = true
	}
	for _, it := range items {
		foreseen := foresee(it, told, states)
		if d.at.Sequence == 0 {
			unplace(foreseen)
		}
		out.Items = append(out.Items, foreseen)
	}
	return out, nil
}

// source returns the delivery to normalize. One that was not sent to paynorm is
// at the zero place. Errors wrap view.ErrNotFound or errErased.
func (n *Normalizer) source(ctx context.Context, r *normalizerv1.NormalizeDeliveryRequest) (stored, error) {
	in := r.GetDelivery()
	if in == nil {
		return (&shelf{ledger: n.Ledger}).content(ctx, r.GetName())
	}
	if !n.Normalize.Knows(in.GetProvider()) {
		return stored{}, fmt.Errorf("provider %q: %w", in.GetProvider(), view.ErrNotFound)
	}
	received := in.GetReceiveTime()
	if received == nil {
		received = timestamppb.New(n.Now())
	}
	if err := received.CheckValid(); err != nil {
		return stored{}, invalidField("delivery.receive_time", "not a time")
	}
	d := &ledgerv1.Delivery{
		Provider: in.GetProvider(), Merchant: cmp.Or(in.GetMerchant(), exampleMerchant),
		Mode: cmp.Or(in.GetMode(), eventv1.Mode_MODE_TEST), Method: "POST", Body: in.GetBody(), ReceiveTime: received,
	}
	for _, h := range in.GetHeaders() {
		d.Headers = append(d.Headers, &ledgerv1.Header{Name: h.GetName(), Value: h.GetValue()})
	}
	return stored{d, normalize.Place{}}, nil
}

// foresee says what an item would become after those before it. told are the
// events that are known by then; states are brought along.
func foresee(it normalize.Item, told map[string]bool, states map[string]*ledgerv1.PaymentState) *normalizerv1.NormalizedItem {
	out := &normalizerv1.NormalizedItem{Item: int32(it.Index)}
	if row := it.Row(it.Event); row != nil {
		out.Mapping = describeMapping(*row)
	}
	switch e := it.Event; {
	case it.Notice != nil:
		out.Result = &normalizerv1.NormalizedItem_Quarantined{Quarantined: it.Notice}
	case e == nil:
		out.Result = &normalizerv1.NormalizedItem_Skipped{Skipped: it.Skip.Reason}
	default:
		state := states[e.GetPayment()]
		if state == nil {
			state = &ledgerv1.PaymentState{}
			states[e.GetPayment()] = state
		}
		payment.Decide(state, e, it.IfPaid)
		if row := it.Row(e); row != nil { // the history may choose another
			out.Mapping = describeMapping(*row)
		}
		out.Result = &normalizerv1.NormalizedItem_Event{Event: e}
		if told[e.GetName()] {
			out.RepeatOf = e.GetName()
			return out
		}
		told[e.GetName()] = true
		payment.Advance(state, e)
	}
	return out
}

// unplace takes out what only a stored delivery has.
func unplace(it *normalizerv1.NormalizedItem) {
	if e := it.GetEvent(); e != nil {
		e.Delivery, e.LedgerPosition, e.CommitTime = "", nil, nil
	}
	if q := it.GetQuarantined(); q != nil {
		q.Name, q.Delivery, q.LedgerPosition = "", "", nil
	}
}
