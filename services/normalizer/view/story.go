package view

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// StoryItem is an item that told something of a payment. Exactly one of Event,
// RepeatOf and Notice is set.
type StoryItem struct {
	Delivery Delivery // without its outcomes
	Item     int      // within the delivery
	Event    *eventv1.PaymentStatusChanged
	RepeatOf string // the name of the event that had told it before
	Notice   *eventv1.QuarantineNotice
	at       *eventv1.LedgerPosition
}

// Story returns the items that told something of a payment, in the order of the
// ledger: what a command published stands at the place of the command. Of more
// than limit items the newest are returned, and truncated says so.
func (v *View) Story(ctx context.Context, payment string, limit int) (items []StoryItem, truncated bool, err error) {
	if limit <= 0 || payment == "" {
		return nil, false, nil
	}
	c := filter.Condition{Field: filter.Payment, Op: filter.Equal, Type: filter.Text, Text: payment}
	at := eventList().found(filter.Conditions{c}, &v.memory)
	err = v.snapshot(ctx, func(tx *sql.Tx) error {
		// A repeat may be of an old event, so all events of the payment are looked at.
		cursors, err := eventList().keys(ctx, tx, filter.Conditions{c}, at, window{before: math.MaxInt64, limit: math.MaxInt32})
		if err != nil {
			return err
		}
		if items, err = storyEvents(ctx, tx, cursors[:min(len(cursors), limit+1)]); err != nil {
			return err
		}
		repeats, err := storyRepeats(ctx, tx, cursors, limit+1)
		if err != nil {
			return err
		}
		notices, err := storyNotices(ctx, tx, payment, limit+1)
		if err != nil {
			return err
		}
		items = slices.Concat(items, repeats, notices)
		slices.SortFunc(items, func(a, b StoryItem) int { return comparePlaces(a.at, b.at) })
		if truncated = len(items) > limit; truncated {
			items = items[len(items)-limit:]
		}
		return addDeliveriesTo(ctx, tx, items)
	})
	if err != nil {
		return nil, false, fmt.Errorf("story of %s: %w", payment, err)
	}
	return items, truncated, nil
}

func comparePlaces(a, b *eventv1.LedgerPosition) int {
	return cmp.Or(cmp.Compare(a.GetSequence(), b.GetSequence()), cmp.Compare(a.GetDelivery(), b.GetDelivery()), cmp.Compare(a.GetItem(), b.GetItem()))
}

func storyEvents(ctx context.Context, tx *sql.Tx, cursors []int64) (items []StoryItem, err error) {
	for chunk := range slices.Chunk(cursors, atOnce) {
		rows, err := tx.QueryContext(ctx, "SELECT delivery, event FROM events WHERE cursor IN ("+marks(len(chunk))+")", anys(chunk)...)
		err = eachRow(rows, err, func(rows *sql.Rows) error {
			e := &eventv1.PaymentStatusChanged{}
			key, err := scanTold(rows, e)
			items = append(items, storyItem(key, e.GetLedgerPosition(), StoryItem{Event: e}))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

func storyRepeats(ctx context.Context, tx *sql.Tx, cursors []int64, limit int) (items []StoryItem, err error) {
	for chunk := range slices.Chunk(cursors, atOnce) {
		rows, err := tx.QueryContext(ctx, `SELECT r.delivery, r.item, `+textOf("e.event", "name")+` FROM repeats AS r INDEXED BY repeats_cursor
			CROSS JOIN events AS e ON e.cursor = r.cursor WHERE r.cursor IN (`+marks(len(chunk))+`) ORDER BY r.delivery DESC LIMIT ?`, append(anys(chunk), limit)...)
		err = eachRow(rows, err, func(rows *sql.Rows) error {
			var key int64
			var item int32
			var name string
			err := rows.Scan(&key, &item, &name)
			at := &eventv1.LedgerPosition{Sequence: sequenceOf(key), Delivery: int32(indexOf(key)), Item: item}
			items = append(items, storyItem(key, at, StoryItem{RepeatOf: name}))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

func storyNotices(ctx context.Context, tx *sql.Tx, payment string, limit int) (items []StoryItem, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT delivery, notice FROM notices WHERE payment = ? AND payment != '' ORDER BY cursor DESC LIMIT ?", payment, limit)
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		n := &eventv1.QuarantineNotice{}
		key, err := scanTold(rows, n)
		items = append(items, storyItem(key, n.GetLedgerPosition(), StoryItem{Notice: n}))
		return err
	})
	return items, err
}

func scanTold(rows *sql.Rows, into proto.Message) (delivery int64, err error) {
	var blob sql.RawBytes
	if err := rows.Scan(&delivery, &blob); err != nil {
		return 0, err
	}
	return delivery, unmarshal(blob, into)
}

func storyItem(delivery int64, at *eventv1.LedgerPosition, it StoryItem) StoryItem {
	it.Item, it.at = int(at.GetItem()), at
	it.Delivery = Delivery{Sequence: sequenceOf(delivery), Index: indexOf(delivery)}
	return it
}

// addDeliveriesTo fills in the deliveries of items. One whose row is not there
// yet, as while a view is being rebuilt, is told by what came of it.
func addDeliveriesTo(ctx context.Context, tx *sql.Tx, items []StoryItem) error {
	keys := make([]int64, len(items))
	for i := range items {
		keys[i] = items[i].Delivery.Key()
	}
	found, err := deliveriesByKey(ctx, tx, keys)
	if err != nil {
		return err
	}
	for i := range items {
		if d, ok := found[keys[i]]; ok {
			items[i].Delivery = d
			continue
		}
		d := &items[i].Delivery
		if e := items[i].Event; e != nil {
			d.Name, d.Provider, d.Merchant, d.Mode, d.ReceiveTime = e.GetDelivery(), e.GetProvider(), e.GetMerchant(), e.GetMode(), e.GetReceiveTime().AsTime()
		} else if n := items[i].Notice; n != nil {
			d.Name, d.Provider, d.Merchant, d.Mode, d.ReceiveTime = n.GetDelivery(), n.GetProvider(), n.GetMerchant(), n.GetMode(), n.GetReceiveTime().AsTime()
		}
	}
	return nil
}
