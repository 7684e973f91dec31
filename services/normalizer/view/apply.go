package view

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// noTime is the high_time before the first event that has a receive_time.
const noTime = math.MinInt64

// Batch is what the projector learnt since the batch before.
type Batch struct {
	// LedgerSequence and Cursor are how far the view is with this batch.
	LedgerSequence, Cursor int64
	// Deliveries in the order of the ledger; their Name and Outcomes are not looked at.
	Deliveries []Delivery
	// Repeats are items that told what an event of this or an earlier batch had told.
	Repeats []Repeat
	// Events in the order of their cursors, none above Cursor. One that a command
	// published releases the notice that its item had before.
	Events []*eventv1.PaymentStatusChanged
	// Encoded are Events in protobuf, in the same order; nil when they are not at hand.
	Encoded [][]byte
	// Notices in the order of their cursors, none above Cursor.
	Notices []*eventv1.QuarantineNotice
	// States are the payments of the events, by name, as they are after the
	// batch. The last event of each state machine has its cursor; a state
	// without any event is not stored.
	States map[string]*ledgerv1.PaymentState
	// New are such states, too, of payments that are known to be in no batch before:
	// nobody looks for them. A batch that has some must not be repeated.
	New map[string]*ledgerv1.PaymentState
	// Confirm is called when all of it is written, and before that counts: an error, which
	// Apply returns, takes everything back. Not during a filling. Nil: it counts at once.
	Confirm func() error
}

// Repeat is an item that told a fact for which there was an event.
type Repeat struct {
	Sequence    int64 // of the commit of its delivery
	Index, Item int   // of the delivery within the commit, of the item within the delivery
	Cursor      int64 // of the event
	Released    bool  // a command found out: until then the item was quarantined
}

// Apply stores a batch, all of it or nothing. What the view has already is
// left out: events and notices whose cursor is not above the stored one, deliveries
// and repeats that are stored, and states that are not newer than the stored ones.
// So a batch may be repeated, and a batch may begin before the stored position;
// the position never falls.
//
// It runs to its end even when ctx is canceled meanwhile. An error ends a filling.
// Errors: ErrUnusable, ErrFilling after such an error.
func (v *View) Apply(ctx context.Context, b Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if b.Cursor <= v.stored.Cursor && b.LedgerSequence <= v.stored.LedgerSequence && len(b.Deliveries)+len(b.Repeats) == 0 {
		return nil
	}
	if err := v.whole(); err != nil {
		return err
	}
	// A context that can be canceled costs a goroutine for each statement.
	if err := v.apply(context.WithoutCancel(ctx), b); err != nil {
		v.broken = v.filling
		return fmt.Errorf("apply up to cursor %d: %w", b.Cursor, v.explain(err))
	}
	return nil
}

// change is what a batch makes of a view, and what it adds to its memory.
type change struct {
	meta
	lastPayment, lastDelivery int64
	keys                      []key // for memory
	flushed                   []int // the parts of memory that went to the table
	released                  []release
	payments                  map[string]storedPayment // the rows that were written; nil while the view is being filled
}

// release says that the item of a delivery that was quarantined has an event now.
type release struct {
	cursor, delivery int64
	item             int32
}

func (v *View) apply(ctx context.Context, b Batch) error {
	if _, err := v.insert.begin.ExecContext(ctx); err != nil {
		return err
	}
	known := len(v.classes)
	next := change{meta: v.stored, lastPayment: v.lastPayment, lastDelivery: v.lastDelivery, flushed: v.memory.over()}
	if !v.filling {
		next.payments = make(map[string]storedPayment, len(b.States))
	}
	err := v.fill(ctx, b, &next)
	if err == nil && b.Confirm != nil {
		err = b.Confirm()
	}
	if err == nil {
		_, err = v.insert.commit.ExecContext(ctx)
	}
	if err != nil {
		_, _ = v.insert.rollback.ExecContext(ctx)
		maps.DeleteFunc(v.classes, func(_ class, id int64) bool { return id > int64(known) })
		return err
	}
	v.memory.commit(next.flushed, next.keys)
	v.stored, v.lastPayment, v.lastDelivery = next.meta, next.lastPayment, next.lastDelivery
	if !v.filling {
		if len(v.known) > maxKept {
			clear(v.known)
		}
		maps.Copy(v.known, next.payments)
		v.checkpoints.wrote(len(b.Events) + len(b.Deliveries))
	}
	return nil
}

// fill writes b within a transaction and brings next to the position after it.
func (v *View) fill(ctx context.Context, b Batch, next *change) error {
	if err := v.flush(ctx, next.flushed); err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	if err := v.addDeliveries(ctx, b.Deliveries, next); err != nil {
		return err
	}
	events := newRows(&v.insert.events)
	for i, e := range b.Events {
		if e.GetCursor() <= v.stored.Cursor {
			continue
		}
		if t, ok := filter.Nanos(e.GetReceiveTime()); ok {
			next.events.observe(t)
		}
		var data []byte
		if b.Encoded != nil {
			data = b.Encoded[i]
		}
		if err := v.addEvent(ctx, events, e, data, next); err != nil {
			return fmt.Errorf("%s: %w", e.GetName(), err)
		}
	}
	if err := events.flush(ctx); err != nil {
		return err
	}
	for _, n := range b.Notices {
		if n.GetCursor() <= v.stored.Cursor {
			continue
		}
		if err := v.addNotice(ctx, n); err != nil {
			return fmt.Errorf("%s: %w", n.GetName(), err)
		}
	}
	if err := v.addRepeats(ctx, b.Repeats, next); err != nil {
		return err
	}
	for _, r := range next.released {
		if _, err := v.insert.release.ExecContext(ctx, r.cursor, r.delivery, r.item); err != nil {
			return err
		}
	}
	if err := v.putStates(ctx, b, next); err != nil {
		return err
	}
	if v.filling {
		if err := v.spill.store(ctx); err != nil {
			return err
		}
	}
	next.LedgerSequence = max(next.LedgerSequence, b.LedgerSequence)
	next.Cursor = max(next.Cursor, b.Cursor)
	_, err := v.insert.meta.ExecContext(ctx, next.LedgerSequence, next.Cursor,
		next.events.high, next.events.lateness, next.deliveries.high, next.deliveries.lateness)
	return err
}

func (v *View) addDeliveries(ctx context.Context, deliveries []Delivery, next *change) error {
	to := newRows(&v.insert.deliveries)
	for i := range deliveries {
		if deliveries[i].Key() <= next.lastDelivery {
			continue
		}
		if err := v.addDelivery(ctx, to, &deliveries[i], next); err != nil {
			return fmt.Errorf("delivery %d-%d: %w", deliveries[i].Sequence, deliveries[i].Index, err)
		}
	}
	return to.flush(ctx)
}

func (v *View) addRepeats(ctx context.Context, repeats []Repeat, next *change) error {
	for _, r := range repeats {
		id := keyOf(r.Sequence, r.Index)
		if _, err := v.insert.repeat.ExecContext(ctx, id, r.Item, r.Cursor); err != nil {
			return err
		}
		if r.Released {
			next.released = append(next.released, release{r.Cursor, id, int32(r.Item)})
		}
	}
	return nil
}

// classID returns the ID of c and stores c when it is new.
func (v *View) classID(ctx context.Context, c class) (int64, error) {
	if id, ok := v.classes[c]; ok {
		return id, nil
	}
	id := int64(len(v.classes)) + 1
	if _, err := v.insert.class.ExecContext(ctx, append([]any{id}, c.columns()...)...); err != nil {
		return 0, err
	}
	v.classes[c] = id
	return id, nil
}

func (b *Batch) check() error {
	if b.Encoded != nil && len(b.Encoded) != len(b.Events) {
		return fmt.Errorf("%d events, of which %d are encoded", len(b.Events), len(b.Encoded))
	}
	last := int64(0)
	for _, e := range b.Events {
		if e.GetCursor() <= last || e.GetCursor() > b.Cursor {
			return fmt.Errorf("cursor %d of %s after %d in a batch up to %d", e.GetCursor(), e.GetName(), last, b.Cursor)
		}
		last = e.GetCursor()
	}
	last = 0
	for _, n := range b.Notices {
		if n.GetCursor() <= last || n.GetCursor() > b.Cursor {
			return fmt.Errorf("cursor %d of %s after %d in a batch up to %d", n.GetCursor(), n.GetName(), last, b.Cursor)
		}
		last = n.GetCursor()
	}
	for _, states := range []map[string]*ledgerv1.PaymentState{b.States, b.New} {
		for name, s := range states {
			last := Last(s)
			if len(last) > 0 && (last[0].GetCursor() < 1 || last[0].GetCursor() > b.Cursor) {
				return fmt.Errorf("state of %s: its last event has no cursor, or one above %d", name, b.Cursor)
			}
		}
	}
	return nil
}

// nullTime is the stored form of a time that may be left out.
func nullTime(t int64, ok bool) sql.NullInt64 { return sql.NullInt64{Int64: t, Valid: ok} }
