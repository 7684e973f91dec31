package projector

import (
	"context"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// history is what is known of the events and payments that items name.
type history struct {
	seen   map[string]view.Origin
	recent *recent
	states map[string]*ledgerv1.PaymentState // of payments that are not in recent
}

func (p *Projector) history(ctx context.Context, items []item) (history, error) {
	h := history{recent: &p.recent}
	var names, payments []string
	for _, it := range items {
		if it.Event == nil {
			continue
		}
		names = append(names, it.Event.GetName())
		if !it.published && p.recent.state(it.Event.GetPayment()) == nil {
			payments = append(payments, it.Event.GetPayment())
		}
	}
	var err error
	if h.seen, err = p.o.View.Seen(ctx, names); err != nil {
		return history{}, err
	}
	h.states, err = p.o.View.States(ctx, payments)
	return h, err
}

// state returns what is known of a payment, to be advanced.
func (h history) state(name string) *ledgerv1.PaymentState {
	if state := h.recent.state(name); state != nil {
		return state
	}
	state := h.states[name]
	if state == nil {
		state = &ledgerv1.PaymentState{}
		h.states[name] = state
	}
	return state
}

// decide turns items into the messages to publish: repeats fall away, the rest
// gets what the history of its payment says, and a cursor.
func (p *Projector) decide(ctx context.Context, items []item) (view.Batch, []eventstream.Message, error) {
	known, err := p.history(ctx, items)
	if err != nil {
		return view.Batch{}, nil, err
	}
	batch := view.Batch{Cursor: p.cursor, States: map[string]*ledgerv1.PaymentState{}}
	messages := make([]eventstream.Message, 0, len(items))
	for _, it := range items {
		e := it.Event
		seen := known.seen[e.GetName()]
		if e != nil && seen.Cursor > 0 {
			batch.Repeats = it.appendRepeat(batch.Repeats, seen)
			if !it.published {
				p.o.Observer.Projected(it.provider, it.Item, true)
			}
			continue
		}
		if it.published {
			continue
		}
		batch.Cursor++
		if e == nil {
			it.Notice.Cursor = batch.Cursor
			batch.Notices = append(batch.Notices, it.Notice)
			messages = append(messages, eventstream.Message{Notice: it.Notice})
			p.o.Observer.Projected(it.provider, it.Item, false)
			continue
		}
		e.Cursor = batch.Cursor
		known.seen[e.GetName()] = view.Origin{Cursor: e.GetCursor(), Sequence: it.origin.Sequence, Index: it.origin.Index, Item: it.Index}
		state := known.state(e.GetPayment())
		switch {
		case it.given:
		case it.before != nil:
			payment.Correct(state, e, it.before, it.IfPaid)
		default:
			payment.Decide(state, e, it.IfPaid)
		}
		payment.Advance(state, e)
		batch.States[e.GetPayment()] = state
		batch.Events = append(batch.Events, e)
		messages = append(messages, eventstream.Message{Event: e})
		p.o.Observer.Projected(it.provider, it.Item, false)
	}
	return batch, messages, nil
}

// appendRepeat notes that an item tells the fact of an event, unless the event is its own.
func (it *item) appendRepeat(to []view.Repeat, seen view.Origin) []view.Repeat {
	if seen.Sequence == it.origin.Sequence && seen.Index == it.origin.Index && seen.Item == it.Index {
		return to
	}
	return append(to, view.Repeat{
		Sequence: it.origin.Sequence, Index: it.origin.Index, Item: it.Index, Cursor: seen.Cursor, Released: it.command,
	})
}
