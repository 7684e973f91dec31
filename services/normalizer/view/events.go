package view

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// Query asks for a page of a list, newest first.
type Query struct {
	Filter filter.Conditions // checked by the schema of the list
	// After and Before bound the cursors of events, the update cursors of payments
	// and the keys of deliveries, exclusive. 0 is no bound.
	After, Before int64
	Limit         int // how many at most
}

// Payment is a payment as its events add up to it.
type Payment struct {
	Name  string
	State *ledgerv1.PaymentState
	// UpdateCursor is the cursor of the event that changed it last; no two
	// payments share one.
	UpdateCursor int64
}

// Events returns events, newest first.
func (v *View) Events(ctx context.Context, q Query) ([]*eventv1.PaymentStatusChanged, error) {
	return v.events(ctx, q.Filter, q.window())
}

// EventsAfter returns events whose cursor is above cursor, oldest first.
func (v *View) EventsAfter(ctx context.Context, cursor int64, f filter.Conditions, limit int) ([]*eventv1.PaymentStatusChanged, error) {
	return v.events(ctx, f, window{after: cursor, before: math.MaxInt64, limit: limit, oldestFirst: true})
}

func (v *View) events(ctx context.Context, f filter.Conditions, w window) ([]*eventv1.PaymentStatusChanged, error) {
	var out []*eventv1.PaymentStatusChanged
	err := v.page(ctx, eventList(), "event", f, w, func(rows *sql.Rows) error {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return err
		}
		e := &eventv1.PaymentStatusChanged{}
		out = append(out, e)
		return unmarshal(blob, e)
	}, func(*sql.Tx) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return out, nil
}

// Payments returns payments, those that changed last first.
func (v *View) Payments(ctx context.Context, q Query) ([]Payment, error) {
	var out []Payment
	err := v.page(ctx, paymentList(), "name, update_cursor, state", q.Filter, q.window(), func(rows *sql.Rows) error {
		p := Payment{State: &ledgerv1.PaymentState{}}
		var blob sql.RawBytes
		if err := rows.Scan(&p.Name, &p.UpdateCursor, &blob); err != nil {
			return err
		}
		out = append(out, p)
		return unmarshal(blob, p.State)
	}, func(tx *sql.Tx) error {
		states := make([]*ledgerv1.PaymentState, len(out))
		for i, p := range out {
			states[i] = p.State
		}
		return restoreFrom(ctx, tx, states...)
	})
	if err != nil {
		return nil, fmt.Errorf("list payments: %w", err)
	}
	return out, nil
}

func (q Query) window() window {
	w := window{after: q.After, before: q.Before, limit: q.Limit}
	if w.before == 0 {
		w.before = math.MaxInt64
	}
	return w
}

// page finds the keys of a page and then its rows, and calls end, in one snapshot.
func (v *View) page(ctx context.Context, l list, columns string, f filter.Conditions, w window, row func(*sql.Rows) error, end func(*sql.Tx) error) error {
	if w.limit <= 0 {
		return nil
	}
	at := l.found(f, &v.memory)
	return v.snapshot(ctx, func(tx *sql.Tx) error {
		keys, err := l.keys(ctx, tx, f, at, w)
		if err != nil || len(keys) == 0 {
			return err
		}
		order := " DESC"
		if w.oldestFirst {
			order = ""
		}
		var q strings.Builder
		fmt.Fprintf(&q, "SELECT %s FROM %s WHERE %s IN (%s) ORDER BY %s%s", columns, l.table, l.key, marks(len(keys)), l.key, order)
		rows, err := tx.QueryContext(ctx, q.String(), anys(keys)...)
		if err := eachRow(rows, err, row); err != nil {
			return err
		}
		return end(tx)
	})
}

// snapshot calls read with a transaction that sees one state of the view.
func (v *View) snapshot(ctx context.Context, read func(*sql.Tx) error) error {
	db, err := v.reader()
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return v.explain(err)
	}
	defer func() { _ = tx.Rollback() }()
	return v.explain(read(tx))
}
