package projector

import (
	"context"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// project publishes what commits say and brings the view along.
func (p *Projector) project(ctx context.Context, commits []*ledgerv1.Commit) error {
	whole := commits[len(commits)-1].GetOrdinal()
	items := p.items(commits)
	for len(items) > 0 {
		n := min(len(items), eventstream.MaxBatch)
		// Until the last portion is through, the first commit that is not whole is read again after a crash.
		until := items[n-1].position().GetSequence() - 1
		if n == len(items) {
			until = whole
		}
		if err := p.portion(ctx, items[:n], until); err != nil {
			return err
		}
		items = items[n:]
	}
	if p.done.Load() < whole { // nothing but skips and repeats
		if err := p.o.View.Apply(ctx, view.Batch{LedgerSequence: whole, Cursor: p.cursor}); err != nil {
			return err
		}
		p.done.Store(whole)
	}
	return nil
}

// item is an item of a delivery that is going to be published, unless it was before.
type item struct{ normalize.Item }

func (i item) position() *eventv1.LedgerPosition {
	if i.Notice != nil {
		return i.Notice.GetLedgerPosition()
	}
	return i.Event.GetLedgerPosition()
}

func (i item) provider() string {
	if i.Notice != nil {
		return i.Notice.GetProvider()
	}
	return i.Event.GetProvider()
}

// items normalizes the deliveries of commits and leaves out skips and what was
// published before a crash.
func (p *Projector) items(commits []*ledgerv1.Commit) []item {
	var all []item
	for _, c := range commits {
		for i, d := range c.GetDeliveries() {
			at := normalize.Place{Sequence: c.GetOrdinal(), Index: i, CommitTime: c.GetCommitTime()}
			found, drift := p.o.Normalizer.Items(d, at)
			if len(drift) > 0 {
				p.o.Observer.Drifted(d.GetProvider(), drift, d.GetReceiveTime().AsTime())
			}
			for _, it := range found {
				switch next := (item{it}); {
				case it.Skip != nil:
					p.o.Observer.Projected(d.GetProvider(), it, false)
				case after(next.position(), p.position):
					all = append(all, next)
				}
			}
		}
	}
	return all
}

// after reports whether a stands behind b in the ledger.
func after(a, b *eventv1.LedgerPosition) bool {
	if a.GetSequence() != b.GetSequence() {
		return a.GetSequence() > b.GetSequence()
	}
	if a.GetDelivery() != b.GetDelivery() {
		return a.GetDelivery() > b.GetDelivery()
	}
	return a.GetItem() > b.GetItem()
}

// portion decides items, publishes them in one go and applies them to the view.
func (p *Projector) portion(ctx context.Context, items []item, until int64) error {
	batch, messages, err := p.decide(ctx, items)
	if err != nil {
		return err
	}
	batch.LedgerSequence = max(until, p.done.Load())
	if err := p.o.Events.Publish(ctx, p.cursor, messages); err != nil {
		return err
	}
	if err := p.o.View.Apply(ctx, batch); err != nil {
		return err
	}
	p.cursor = batch.Cursor
	if len(messages) > 0 {
		p.position = messages[len(messages)-1].Position()
		p.o.Watchers.Publish(batch.Events, batch.Cursor)
	}
	p.done.Store(batch.LedgerSequence)
	return nil
}

// decide turns items into the messages to publish: repeats fall away, the rest
// gets what the history of its payment says, and a cursor.
func (p *Projector) decide(ctx context.Context, items []item) (view.Batch, []eventstream.Message, error) {
	var names, payments []string
	for _, it := range items {
		if it.Event != nil {
			names = append(names, it.Event.GetName())
			payments = append(payments, it.Event.GetPayment())
		}
	}
	seen, err := p.o.View.Seen(ctx, names)
	if err != nil {
		return view.Batch{}, nil, err
	}
	states, err := p.o.View.States(ctx, payments)
	if err != nil {
		return view.Batch{}, nil, err
	}
	batch := view.Batch{Cursor: p.cursor, States: map[string]*ledgerv1.PaymentState{}}
	messages := make([]eventstream.Message, 0, len(items))
	for _, it := range items {
		e := it.Event
		if e != nil && seen[e.GetName()] {
			p.o.Observer.Projected(it.provider(), it.Item, true)
			continue
		}
		batch.Cursor++
		if e == nil {
			it.Notice.Cursor = batch.Cursor
			batch.Notices = append(batch.Notices, it.Notice)
			messages = append(messages, eventstream.Message{Notice: it.Notice})
			p.o.Observer.Projected(it.provider(), it.Item, false)
			continue
		}
		seen[e.GetName()] = true
		e.Cursor = batch.Cursor
		state := states[e.GetPayment()]
		if state == nil {
			state = &ledgerv1.PaymentState{}
			states[e.GetPayment()] = state
		}
		payment.Decide(state, e, it.IfPaid)
		payment.Advance(state, e)
		batch.States[e.GetPayment()] = state
		batch.Events = append(batch.Events, e)
		messages = append(messages, eventstream.Message{Event: e})
		p.o.Observer.Projected(it.provider(), it.Item, false)
	}
	return batch, messages, nil
}

// catchUp applies messages that are in the stream already.
func (p *Projector) catchUp(ctx context.Context, messages []eventstream.Message) error {
	var payments []string
	for _, m := range messages {
		if m.Event != nil {
			payments = append(payments, m.Event.GetPayment())
		}
	}
	states, err := p.o.View.States(ctx, payments)
	if err != nil {
		return err
	}
	last := messages[len(messages)-1]
	batch := view.Batch{
		Cursor:         last.Cursor(),
		LedgerSequence: max(p.done.Load(), last.Position().GetSequence()-1),
		States:         map[string]*ledgerv1.PaymentState{},
	}
	for _, m := range messages {
		if m.Notice != nil {
			batch.Notices = append(batch.Notices, m.Notice)
			continue
		}
		state := states[m.Event.GetPayment()]
		if state == nil {
			state = &ledgerv1.PaymentState{}
			states[m.Event.GetPayment()] = state
		}
		payment.Advance(state, m.Event)
		batch.States[m.Event.GetPayment()] = state
		batch.Events = append(batch.Events, m.Event)
	}
	return p.o.View.Apply(ctx, batch)
}
