package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// CursorAt returns the cursor before the first event that was received at or
// after t; the view's own when there is none.
func (v *View) CursorAt(ctx context.Context, t time.Time) (cursor int64, err error) {
	nanos, _ := filter.Nanos(timestamppb.New(t))
	err = v.snapshot(ctx, func(tx *sql.Tx) error {
		m, err := readMeta(ctx, tx)
		if err != nil {
			return err
		}
		first, err := eventList().firstAt(ctx, tx, m.Cursor, nanos)
		cursor = first - 1
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find the first event at %s: %w", t.UTC().Format(time.RFC3339Nano), err)
	}
	return cursor, nil
}

// firstAt returns the key of the first row that was received at or after t, or
// end+1 when there is none up to end. high_time never falls, and it first
// reaches t with exactly that row.
func (l list) firstAt(ctx context.Context, db querier, end, t int64) (int64, error) {
	query := "SELECT " + l.highTime + " FROM " + l.table + " WHERE " + l.key + " <= ? ORDER BY " + l.key + " DESC LIMIT 1"
	low, high := int64(1), end+1
	for low < high {
		middle := low + (high-low)/2
		var highTime int64
		err := db.QueryRowContext(ctx, query, middle).Scan(&highTime)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
		if err == nil && highTime >= t {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, nil
}

// boundTime narrows the window by a condition on the time of receipt, or of a
// payment's last change, which is the time of receipt of the event at its
// update_cursor. Times follow the keys up to the lateness that was seen.
func (f *find) boundTime(ctx context.Context, db querier, c filter.Condition) error {
	m, err := readMeta(ctx, db)
	if err != nil {
		return err
	}
	of, end, seen := eventList(), m.Cursor, m.events
	if f.classOf == classOfDeliveries {
		of, seen = f.list, m.deliveries
		if err := db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM deliveries").Scan(&end); err != nil {
			return err
		}
	}
	first, beyond := int64(0), int64(math.MaxInt64)
	if c.Op != filter.Less && c.Op != filter.LessEqual {
		if first, err = of.firstAt(ctx, db, end, c.Number); err != nil {
			return err
		}
	}
	if c.Op != filter.Greater && c.Op != filter.GreaterEqual {
		latest := c.Number + min(seen.lateness, math.MaxInt64-1-max(c.Number, 0))
		if beyond, err = of.firstAt(ctx, db, end, latest+1); err != nil {
			return err
		}
	}
	f.after, f.before = max(f.after, first-1), min(f.before, beyond)
	return nil
}
