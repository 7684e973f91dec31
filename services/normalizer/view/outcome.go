package view

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// place is that of an item.
type place struct {
	delivery int64
	item     int
}

// outcomes gathers what came of items. What is added later counts more: a repeat
// may become known only after the notice or the event of its item.
type outcomes struct {
	repeats, events map[place]string
	notices         map[place]*eventv1.QuarantineNotice
	released        map[place]bool
}

// addOutcomes fills in the outcomes of deliveries.
func addOutcomes(ctx context.Context, tx *sql.Tx, deliveries []Delivery) error {
	for chunk := range slices.Chunk(deliveries, atOnce) {
		o := outcomes{
			repeats: map[place]string{}, events: map[place]string{},
			notices: map[place]*eventv1.QuarantineNotice{}, released: map[place]bool{},
		}
		ids := make([]any, len(chunk))
		byID := make(map[int64]*Delivery, len(chunk))
		for i := range chunk {
			ids[i] = chunk[i].Key()
			byID[chunk[i].Key()] = &chunk[i]
		}
		if err := o.read(ctx, tx, ids); err != nil {
			return err
		}
		for at, outcome := range o.all() {
			d := byID[at.delivery]
			d.Outcomes = append(d.Outcomes, outcome)
		}
		for i := range chunk {
			slices.SortFunc(chunk[i].Outcomes, func(a, b Outcome) int { return cmp.Compare(a.Item, b.Item) })
		}
	}
	return nil
}

// read reads what there is of the deliveries with ids.
func (o *outcomes) read(ctx context.Context, tx *sql.Tx, ids []any) error {
	in := " IN (" + marks(len(ids)) + ")"
	named := func(into map[place]string) func(*sql.Rows) error {
		return func(rows *sql.Rows) error {
			var at place
			var name string
			err := rows.Scan(&at.delivery, &at.item, &name)
			into[at] = name
			return err
		}
	}
	rows, err := tx.QueryContext(ctx, `SELECT r.delivery, r.item, `+textOf("e.event", "name")+` FROM repeats AS r
		CROSS JOIN events AS e ON e.cursor = r.cursor WHERE r.delivery`+in, ids...)
	if err := eachRow(rows, err, named(o.repeats)); err != nil {
		return err
	}
	// In the order of their cursors, so that the newest correction is the last.
	rows, err = tx.QueryContext(ctx, "SELECT delivery, item, "+textOf("event", "name")+" FROM events INDEXED BY events_delivery WHERE delivery"+in+" ORDER BY cursor", ids...)
	if err := eachRow(rows, err, named(o.events)); err != nil {
		return err
	}
	rows, err = tx.QueryContext(ctx, "SELECT delivery, item, released, notice FROM notices INDEXED BY notices_delivery WHERE delivery"+in, ids...)
	return eachRow(rows, err, func(rows *sql.Rows) error {
		var at place
		var blob sql.RawBytes
		var released int64
		if err := rows.Scan(&at.delivery, &at.item, &released, &blob); err != nil {
			return err
		}
		o.released[at] = released > 0
		n := &eventv1.QuarantineNotice{}
		o.notices[at] = n
		return unmarshal(blob, n)
	})
}

// all returns one outcome for each item.
func (o *outcomes) all() map[place]Outcome {
	out := make(map[place]Outcome, len(o.events))
	for at, name := range o.repeats {
		out[at] = Outcome{Item: at.item, RepeatOf: name}
	}
	for at, name := range o.events {
		out[at] = Outcome{Item: at.item, Event: name}
	}
	for at, n := range o.notices {
		was := out[at]
		out[at] = Outcome{Item: at.item, Notice: n}
		if o.released[at] {
			out[at] = Outcome{Item: at.item, Notice: n, ReleasedAs: cmp.Or(was.Event, was.RepeatOf)}
		}
	}
	return out
}

func unmarshal(blob []byte, into proto.Message) error {
	if err := proto.Unmarshal(blob, into); err != nil {
		return fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return nil
}
