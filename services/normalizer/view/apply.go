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
	// Events in the order of their cursors, none above Cursor.
	Events []*eventv1.PaymentStatusChanged
	// Notices in the order of their cursors, none above Cursor.
	Notices []*eventv1.QuarantineNotice
	// States are the payments of the events, by name, as they are after the
	// batch. The last event of each state machine has its cursor; a state
	// without any event is not stored.
	States map[string]*ledgerv1.PaymentState
}

// Apply stores a batch, all of it or nothing. What the view has already is
// left out: events and notices whose cursor is not above the stored one, and
// states that are not newer than the stored ones. So a batch may be repeated, and a batch
// may begin before the stored position; the position never falls.
//
// It runs to its end even when ctx is canceled meanwhile. Errors: ErrUnusable.
func (v *View) Apply(ctx context.Context, b Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if b.Cursor <= v.stored.Cursor && b.LedgerSequence <= v.stored.LedgerSequence {
		return nil
	}
	// A context that can be canceled costs a goroutine for each statement.
	if err := v.apply(context.WithoutCancel(ctx), b); err != nil {
		return fmt.Errorf("apply up to cursor %d: %w", b.Cursor, v.explain(err))
	}
	return nil
}

// change is what a batch makes of a view, and what it adds to its memory.
type change struct {
	meta
	lastPayment int64
	keys        []key
	flushed     int // the part of memory that went to the table, or -1
}

func (v *View) apply(ctx context.Context, b Batch) error {
	if _, err := v.insert.begin.ExecContext(ctx); err != nil {
		return err
	}
	known := len(v.classes)
	next := change{meta: v.stored, lastPayment: v.lastPayment, flushed: v.memory.full()}
	err := v.fill(ctx, b, &next)
	if err == nil {
		_, err = v.insert.commit.ExecContext(ctx)
	}
	if err != nil {
		_, _ = v.insert.rollback.ExecContext(ctx)
		maps.DeleteFunc(v.classes, func(_ class, id int64) bool { return id > int64(known) })
		return err
	}
	v.memory.commit(next.flushed, next.keys)
	v.stored, v.lastPayment = next.meta, next.lastPayment
	return nil
}

// fill writes b within a transaction and brings next to the position after it.
func (v *View) fill(ctx context.Context, b Batch, next *change) error {
	if next.flushed >= 0 {
		if err := v.flush(ctx, next.flushed); err != nil {
			return fmt.Errorf("store keys: %w", err)
		}
	}
	events := newRows(&v.insert.events)
	for _, e := range b.Events {
		if e.GetCursor() <= v.stored.Cursor {
			continue
		}
		next.observe(e)
		if err := v.addEvent(ctx, events, e, next); err != nil {
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
	if err := v.putStates(ctx, b.States, next); err != nil {
		return err
	}
	next.LedgerSequence = max(next.LedgerSequence, b.LedgerSequence)
	next.Cursor = max(next.Cursor, b.Cursor)
	_, err := v.insert.meta.ExecContext(ctx, next.LedgerSequence, next.Cursor, next.highTime, next.lateness)
	return err
}

// observe takes the event's receive_time into account.
func (m *meta) observe(e *eventv1.PaymentStatusChanged) {
	t, ok := filter.Nanos(e.GetReceiveTime())
	if !ok {
		return
	}
	if t >= m.highTime {
		m.highTime = t
		return
	}
	// Times lie within 584 years of each other, which int64 can hold only as uint64.
	m.lateness = max(m.lateness, int64(min(uint64(m.highTime)-uint64(t), math.MaxInt64)))
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
	for name, s := range b.States {
		last := Last(s)
		if len(last) > 0 && (last[0].GetCursor() < 1 || last[0].GetCursor() > b.Cursor) {
			return fmt.Errorf("state of %s: its last event has no cursor, or one above %d", name, b.Cursor)
		}
	}
	return nil
}

// nullTime is the stored form of a time that may be left out.
func nullTime(t int64, ok bool) sql.NullInt64 { return sql.NullInt64{Int64: t, Valid: ok} }
