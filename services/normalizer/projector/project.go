package projector

import (
	"context"
	"slices"
	"sync"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/tracing"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// project publishes what commits say and brings the view along. A command is
// carried out after everything before it is in the view, which it asks.
func (p *Projector) project(ctx context.Context, commits []*ledgerv1.Commit) error {
	for len(commits) > 0 {
		n := slices.IndexFunc(commits, func(c *ledgerv1.Commit) bool { return c.GetReprocess() != nil })
		var w work
		var err error
		switch {
		case n == 0:
			n = 1
			w, err = p.command(ctx, commits[0])
		case n < 0:
			n = len(commits)
			w, err = p.read(ctx, commits)
		default:
			w, err = p.read(ctx, commits[:n])
		}
		if err == nil {
			err = p.do(ctx, w)
		}
		if err != nil {
			return err
		}
		commits = commits[n:]
	}
	return nil
}

// work is what some commits say.
type work struct {
	items      []item
	deliveries []view.Delivery
	whole      int64 // the last commit
}

// item is an item of a delivery that is to be published, unless it was before.
type item struct {
	normalize.Item
	provider string
	origin   normalize.Place         // of its delivery
	position *eventv1.LedgerPosition // its own, or that of the command that looked at it again
	// published says that the stream has all up to this position: what the item
	// became is there, and nothing is published of it.
	published bool
	command   bool
	before    *eventv1.PaymentStatusChanged // the event that a command corrects
	given     bool                          // it is what was published already: there is nothing to decide
}

// normalized is a delivery and what it says; nothing when it is erased.
type normalized struct {
	delivery *ledgerv1.Delivery
	at       normalize.Place
	items    []normalize.Item
	drift    []string
}

// shared is from how many deliveries on a second processor normalizes half of them:
// then it is the projector that all others wait for.
const shared = 256

// normalize returns the deliveries of commits, in order, with what they say.
func (p *Projector) normalize(commits []*ledgerv1.Commit) []normalized {
	n := 0
	for _, c := range commits {
		n += len(c.GetDeliveries())
	}
	all := make([]normalized, 0, n)
	for _, c := range commits {
		for i, d := range c.GetDeliveries() {
			all = append(all, normalized{delivery: d, at: normalize.Place{Sequence: c.GetOrdinal(), Index: i, CommitTime: c.GetCommitTime()}})
		}
	}
	some := func(part []normalized) {
		for i := range part {
			if d := &part[i]; !d.delivery.GetErased() {
				d.items, d.drift = p.o.Normalizer.Items(d.delivery, d.at)
			}
		}
	}
	if n < shared {
		some(all)
		return all
	}
	var half sync.WaitGroup
	half.Go(func() { some(all[n/2:]) })
	some(all[:n/2])
	half.Wait()
	return all
}

// read normalizes the deliveries of commits and leaves out skips.
func (p *Projector) read(ctx context.Context, commits []*ledgerv1.Commit) (work, error) {
	all := p.normalize(commits)
	w := work{whole: commits[len(commits)-1].GetOrdinal(), items: make([]item, 0, len(all)), deliveries: make([]view.Delivery, 0, len(all))}
	for _, n := range all {
		d, at := n.delivery, n.at
		w.deliveries = append(w.deliveries, arrived(d, at))
		if d.GetErased() { // what it said was taken back on purpose
			told, err := p.told(ctx, d, at, at.Sequence)
			if err != nil {
				return work{}, err
			}
			w.items = append(w.items, told...)
			continue
		}
		if len(n.drift) > 0 {
			p.o.Observer.Drifted(d.GetProvider(), n.drift, d.GetReceiveTime().AsTime())
		}
		for _, it := range n.items {
			if it.Skip != nil {
				p.o.Observer.Projected(d.GetProvider(), it, false)
				continue
			}
			position := at.Item(it.Index)
			w.items = append(w.items, item{
				Item: it, provider: d.GetProvider(), origin: at, position: position, published: !after(position, p.position),
			})
		}
	}
	return w, nil
}

func arrived(d *ledgerv1.Delivery, at normalize.Place) view.Delivery {
	row := view.Delivery{Provider: d.GetProvider(), Merchant: d.GetMerchant(), Mode: d.GetMode(), Sequence: at.Sequence, Index: at.Index}
	if d.GetReceiveTime() != nil {
		row.ReceiveTime = d.GetReceiveTime().AsTime()
	}
	return row
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

// do publishes work in portions and brings the view along.
func (p *Projector) do(ctx context.Context, w work) error {
	for {
		n := min(len(w.items), eventstream.MaxBatch)
		last := n == len(w.items)
		yield()
		batch, messages, err := p.decide(ctx, w.items[:n])
		if err != nil {
			return err
		}
		if last {
			batch.LedgerSequence, batch.Deliveries = w.whole, w.deliveries
		} else {
			// Until the last portion is through, the first commit that is not whole is read again after a crash.
			batch.LedgerSequence, batch.Deliveries = w.items[n-1].position.GetSequence()-1, upTo(w.deliveries, w.items[n-1].origin)
		}
		if err := p.publish(ctx, batch, messages); err != nil || last {
			return err
		}
		w.items, w.deliveries = w.items[n:], w.deliveries[len(batch.Deliveries):]
	}
}

// upTo returns the deliveries up to and including the one at a place.
func upTo(deliveries []view.Delivery, at normalize.Place) []view.Delivery {
	n := slices.IndexFunc(deliveries, func(d view.Delivery) bool {
		return d.Sequence > at.Sequence || d.Sequence == at.Sequence && d.Index > at.Index
	})
	if n < 0 {
		return deliveries
	}
	return deliveries[:n]
}

// trace begins a span for each delivery that is traced, and returns what ends them.
func (p *Projector) trace(deliveries []view.Delivery) (end func()) {
	if p.o.Tracer == nil {
		return func() {}
	}
	spans := make([]tracing.Span, len(deliveries))
	for i, d := range deliveries {
		spans[i] = p.o.Tracer.Part("publish and apply", d.Provider, d.Merchant, d.ReceiveTime)
	}
	return func() {
		for _, s := range spans {
			s.End(false)
		}
	}
}

// begin begins to publish messages, and returns what waits for the end.
func (p *Projector) begin(ctx context.Context, messages []eventstream.Message) (published func() error) {
	if len(messages) == 0 {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() { ended <- p.events.Publish(ctx, p.cursor, messages) }()
	return sync.OnceValue(func() error { return <-ended })
}

// publish publishes messages in one go and applies batch to the view.
func (p *Projector) publish(ctx context.Context, batch view.Batch, messages []eventstream.Message) error {
	batch.LedgerSequence = max(batch.LedgerSequence, p.done.Load())
	defer p.trace(batch.Deliveries)()
	if err := p.events.Encode(messages); err != nil {
		return err
	}
	batch.Encoded = encoded(messages)
	yield()
	// The view is written while the stream syncs, and counts once the stream has the messages.
	published := p.begin(ctx, messages)
	batch.Confirm = published
	err := p.o.View.Apply(ctx, batch)
	if failed := published(); failed != nil { // it ends before the next one begins, whatever the view says
		return failed
	}
	if err != nil {
		return err
	}
	p.cursor = batch.Cursor
	p.recent.remember(batch.States)
	if len(messages) > 0 {
		p.position = messages[len(messages)-1].Position()
		p.o.Watchers.Publish(batch.Events, batch.Cursor)
	}
	p.setDone(batch.LedgerSequence)
	return nil
}

// encoded returns the events among messages in protobuf, nil when one is not known so.
func encoded(messages []eventstream.Message) [][]byte {
	all := make([][]byte, 0, len(messages))
	for _, m := range messages {
		if m.Event == nil {
			continue
		}
		if m.Data == nil {
			return nil
		}
		all = append(all, m.Data)
	}
	return all
}
