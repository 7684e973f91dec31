package view

import (
	"context"
	"database/sql"
	"fmt"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Published returns what was published with the cursors above after, n of them
// at most: the events and the notices, each in the order of their cursors.
func (v *View) Published(ctx context.Context, after int64, n int) (events []*eventv1.PaymentStatusChanged, notices []*eventv1.QuarantineNotice, err error) {
	err = v.snapshot(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT event FROM events WHERE cursor > ? AND cursor <= ? ORDER BY cursor", after, after+int64(n))
		err = eachRow(rows, err, func(rows *sql.Rows) error {
			var blob sql.RawBytes
			if err := rows.Scan(&blob); err != nil {
				return err
			}
			e := &eventv1.PaymentStatusChanged{}
			events = append(events, e)
			return unmarshal(blob, e)
		})
		if err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, "SELECT notice FROM notices WHERE cursor > ? AND cursor <= ? ORDER BY cursor", after, after+int64(n))
		return eachRow(rows, err, func(rows *sql.Rows) error {
			var blob sql.RawBytes
			if err := rows.Scan(&blob); err != nil {
				return err
			}
			n := &eventv1.QuarantineNotice{}
			notices = append(notices, n)
			return unmarshal(blob, n)
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read what was published after %d: %w", after, err)
	}
	return events, notices, nil
}
