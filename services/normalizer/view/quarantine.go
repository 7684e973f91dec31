package view

import (
	"context"
	"database/sql"
	"fmt"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Quarantined counts the items of an endpoint that are quarantined for a reason
// and not released.
type Quarantined struct {
	Provider, Merchant string
	Reason             eventv1.QuarantineReason
	Items              int64
}

// Quarantine returns the counts that are not 0. What it costs grows with the
// items, not with the view.
func (v *View) Quarantine(ctx context.Context) (all []Quarantined, err error) {
	err = v.snapshot(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT provider, merchant, reason, count(*)
			FROM notices INDEXED BY notices_reason CROSS JOIN deliveries ON deliveries.id = notices.delivery
			CROSS JOIN classes ON classes.id = deliveries.class
			WHERE released = 0 GROUP BY provider, merchant, reason ORDER BY provider, merchant, reason`)
		return eachRow(rows, err, func(rows *sql.Rows) error {
			var q Quarantined
			err := rows.Scan(&q.Provider, &q.Merchant, &q.Reason, &q.Items)
			all = append(all, q)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count what is quarantined: %w", err)
	}
	return all, nil
}
