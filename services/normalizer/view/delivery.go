package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
)

// Delivery is a delivery as the view knows it. Its content is in the ledger only.
type Delivery struct {
	Name               string // its resource name
	Provider, Merchant string
	Mode               eventv1.Mode
	ReceiveTime        time.Time // zero when it is not known
	Sequence           int64     // of its commit
	Index              int       // within the commit, from 0
	// Outcomes are what came of its items, in their order. Items that had nothing
	// to publish are left out.
	Outcomes []Outcome
}

// Outcome is what came of an item. One of Event, RepeatOf and Notice is set.
type Outcome struct {
	Item int
	// Event is the name of the event that the item became, or of the newest one
	// that corrects it.
	Event string
	// RepeatOf is the name of the event that had told the fact before.
	RepeatOf string
	Notice   *eventv1.QuarantineNotice
	// ReleasedAs is the name of the event that an item with a notice became after all.
	ReleasedAs string
}

// indexBits is how much of a delivery's key its index takes; a commit has fewer
// deliveries than that counts.
const indexBits = 16

// Key returns what deliveries are listed by; a Query's After and Before bound it.
func (d *Delivery) Key() int64 { return keyOf(d.Sequence, d.Index) }

func keyOf(sequence int64, index int) int64 { return sequence<<indexBits | int64(index) }
func sequenceOf(key int64) int64            { return key >> indexBits }
func indexOf(key int64) int                 { return int(key & (1<<indexBits - 1)) }

// deliveryID returns the key of the delivery of a name: 0 when there is none, and
// -1, which no delivery has, when it is not the name of a delivery.
func deliveryID(name string) int64 {
	if name == "" {
		return 0
	}
	at, ok := normalize.ParseDelivery(name)
	if !ok || at.Index >= 1<<indexBits || at.Sequence >= 1<<(63-indexBits) {
		return -1
	}
	return keyOf(at.Sequence, at.Index)
}

// selectDeliveries reads what scanDelivery scans.
const selectDeliveries = `SELECT d.id, c.provider, c.merchant, c.mode, d.receive_time
	FROM deliveries AS d JOIN classes AS c ON c.id = d.class`

func scanDelivery(scan func(...any) error) (d Delivery, err error) {
	var id int64
	var received sql.NullInt64
	if err := scan(&id, &d.Provider, &d.Merchant, &d.Mode, &received); err != nil {
		return Delivery{}, err
	}
	d.Sequence, d.Index = sequenceOf(id), indexOf(id)
	d.Name = normalize.Place{Sequence: d.Sequence, Index: d.Index}.Delivery()
	if received.Valid {
		d.ReceiveTime = time.Unix(0, received.Int64).UTC()
	}
	return d, nil
}

// Delivery returns one delivery. Errors: ErrNotFound.
func (v *View) Delivery(ctx context.Context, name string) (d Delivery, err error) {
	id := deliveryID(name)
	err = v.snapshot(ctx, func(tx *sql.Tx) error {
		if d, err = scanDelivery(tx.QueryRowContext(ctx, selectDeliveries+" WHERE d.id = ?", id).Scan); err != nil {
			return err
		}
		one := []Delivery{d}
		err := addOutcomes(ctx, tx, one)
		d = one[0]
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Delivery{}, fmt.Errorf("%s: %w", name, ErrNotFound)
	case err != nil:
		return Delivery{}, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
