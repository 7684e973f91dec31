package rpc

import (
	"context"
	"errors"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/story"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/proto"
)

const (
	// maxSteps is how many steps an explanation has at most.
	maxSteps = 1000
	// maxStepBytes leaves room for the text below what gRPC clients take by default.
	maxStepBytes = 2 << 20
)

// ExplainPayment implements PaymentService.
func (s *Payments) ExplainPayment(ctx context.Context, r *normalizerv1.ExplainPaymentRequest) (*normalizerv1.ExplainPaymentResponse, error) {
	p, err := s.reader.Payment(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	items, truncated, err := s.reader.Story(ctx, r.GetName(), maxSteps)
	if err != nil {
		return nil, err
	}
	out := &normalizerv1.ExplainPaymentResponse{Payment: resource(p), Truncated: truncated}
	teller := teller{shelf: shelf{ledger: s.ledger}, normalizer: s.normalizer}
	for _, it := range items {
		step, err := teller.step(ctx, it)
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, step)
	}
	story.SetEffects(out.GetSteps()) // before any is left out: they explain each other
	for size := proto.Size(out); size > maxStepBytes && len(out.GetSteps()) > 1; {
		size -= proto.Size(&normalizerv1.ExplainPaymentResponse{Steps: out.GetSteps()[:1]})
		out.Steps, out.Truncated = out.Steps[1:], true
	}
	out.Text = story.Text(out)
	return out, nil
}

// teller makes steps. It keeps the items of the last delivery: a batch may tell
// of one payment more than once.
type teller struct {
	shelf
	normalizer *normalize.Normalizer
	of         string // the delivery that items are of
	items      []normalize.Item
}

func (t *teller) step(ctx context.Context, it view.StoryItem) (*normalizerv1.ExplanationStep, error) {
	step := &normalizerv1.ExplanationStep{Item: int32(it.Item)}
	if it.RepeatOf == "" {
		step.Subject = eventstream.Message{Event: it.Event, Notice: it.Notice}.Subject()
	}
	switch {
	case it.Event != nil:
		step.Result = &normalizerv1.ExplanationStep_Event{Event: it.Event}
	case it.Notice != nil:
		step.Result = &normalizerv1.ExplanationStep_Quarantined{Quarantined: it.Notice}
	default:
		step.Result = &normalizerv1.ExplanationStep_RepeatOf{RepeatOf: it.RepeatOf}
	}
	d, err := t.delivery(ctx, normalize.Place{Sequence: it.Delivery.Sequence, Index: it.Delivery.Index})
	if errors.Is(err, view.ErrNotFound) {
		step.Delivery = forgotten(it.Delivery)
		return step, nil
	}
	if err != nil {
		return nil, err
	}
	step.Delivery = d.resource(false)
	if row := t.row(d, it); row != nil {
		step.Mapping = describeMapping(*row)
	}
	return step, nil
}

// row returns the mapping row that decided about an item: nil when none did, or
// when the table has changed since.
func (t *teller) row(d stored, it view.StoryItem) *provider.Mapping {
	if d.GetErased() {
		return nil
	}
	if name := d.at.Delivery(); t.of != name {
		t.items, _ = t.normalizer.Items(d.Delivery, d.at)
		t.of = name
	}
	if it.Item >= len(t.items) {
		return nil
	}
	today := t.items[it.Item]
	switch {
	case it.Event != nil && today.Event.GetMappingVersion() != it.Event.GetMappingVersion(),
		it.Notice != nil && today.Notice.GetMappingVersion() != it.Notice.GetMappingVersion():
		return nil
	}
	return today.Row(it.Event)
}
