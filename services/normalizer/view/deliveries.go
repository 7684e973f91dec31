package view

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// Deliveries returns deliveries, newest first.
func (v *View) Deliveries(ctx context.Context, q Query) ([]Delivery, error) {
	return v.deliveries(ctx, q.Filter, q.window())
}

// DeliveriesAfter returns deliveries whose key is above key, oldest first.
func (v *View) DeliveriesAfter(ctx context.Context, key int64, f filter.Conditions, limit int) ([]Delivery, error) {
	return v.deliveries(ctx, f, window{after: key, before: math.MaxInt64, limit: limit, oldestFirst: true})
}

func (v *View) deliveries(ctx context.Context, f filter.Conditions, w window) ([]Delivery, error) {
	if w.limit <= 0 {
		return nil, nil
	}
	var out []Delivery
	search := newDeliverySearch(f)
	at := search.found(&v.memory)
	err := v.snapshot(ctx, func(tx *sql.Tx) error {
		keys, err := search.keys(ctx, tx, at, w)
		if err != nil {
			return err
		}
		found, err := deliveriesByKey(ctx, tx, keys)
		if err != nil {
			return err
		}
		for _, k := range keys {
			out = append(out, found[k])
		}
		return addOutcomes(ctx, tx, out)
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return out, nil
}

// deliveriesByKey returns those of the deliveries that there are.
func deliveriesByKey(ctx context.Context, tx *sql.Tx, keys []int64) (map[int64]Delivery, error) {
	out := make(map[int64]Delivery, len(keys))
	for chunk := range slices.Chunk(keys, atOnce) {
		rows, err := tx.QueryContext(ctx, selectDeliveries+" WHERE d.id IN ("+marks(len(chunk))+")", anys(chunk)...)
		err = eachRow(rows, err, func(rows *sql.Rows) error {
			d, err := scanDelivery(rows.Scan)
			out[d.Key()] = d
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// deliverySearch is a filter over deliveries: what is asked of their own row, and
// of what came of them.
type deliverySearch struct {
	own      filter.Conditions
	payments filter.Conditions
	reasons  []int64 // of quarantine, filter.AnyReason among them
}

func newDeliverySearch(f filter.Conditions) (s deliverySearch) {
	for _, c := range f {
		switch c.Field {
		case filter.Payment:
			s.payments = append(s.payments, c)
		case filter.QuarantineReason:
			s.reasons = append(s.reasons, c.Number)
		default:
			s.own = append(s.own, c)
		}
	}
	return s
}

// found is list.found for the events of each payment that is asked for.
func (s deliverySearch) found(m *memory) (all []found) {
	for _, c := range s.payments {
		all = append(all, eventList().found(filter.Conditions{c}, m))
	}
	return all
}

// keys returns the keys of the deliveries that meet the filter, in order.
func (s deliverySearch) keys(ctx context.Context, tx *sql.Tx, at []found, w window) ([]int64, error) {
	if len(s.payments)+len(s.reasons) == 0 {
		return deliveryList().keys(ctx, tx, s.own, found{}, w)
	}
	f, err := deliveryList().plan(ctx, tx, s.own, found{}, w)
	if err != nil {
		return nil, err
	}
	if f.classes.sql.Len() > 0 {
		of, args := f.ofClasses()
		f.rows.and("class IN ("+of+")", args...)
	}
	for i, reason := range s.reasons {
		if i > 0 || len(s.payments) > 0 {
			where, args := openNotices(reason)
			f.rows.and("id IN (SELECT delivery FROM notices WHERE "+where+")", args...)
		}
	}
	if len(s.payments) == 0 {
		return f.quarantined(ctx, tx, s.reasons[0])
	}
	for i, c := range s.payments {
		told, err := toldOf(ctx, tx, c, at[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			told = slices.DeleteFunc(told, func(k int64) bool { return !slices.Contains(f.memory, k) })
		}
		f.memory = told
	}
	keys, err := f.fromMemory(ctx, tx)
	return f.first(keys), err
}

// openNotices is the condition on notices that are of a reason and not released.
func openNotices(reason int64) (string, []any) {
	if reason == filter.AnyReason {
		return "released = 0", nil
	}
	return "reason = ? AND released = 0", []any{reason}
}

// quarantined returns the keys of deliveries with an open notice, in order.
func (f *find) quarantined(ctx context.Context, tx *sql.Tx, reason int64) ([]int64, error) {
	index := "notices_reason"
	if reason == filter.AnyReason {
		index = "notices_open"
	}
	w := &where{key: "delivery"}
	condition, args := openNotices(reason)
	w.and(condition, args...)
	query, args := f.query("notices INDEXED BY "+index+" CROSS JOIN deliveries ON deliveries.id = notices.delivery", w)
	return readKeys(ctx, tx, "SELECT DISTINCT"+query[len("SELECT"):], append(args, f.after, f.before, f.limit)...)
}

// toldOf returns the keys of the deliveries that told of a payment: with an
// event, with a repeat of one, or with an item that was quarantined.
func toldOf(ctx context.Context, tx *sql.Tx, payment filter.Condition, at found) ([]int64, error) {
	cursors, err := eventList().keys(ctx, tx, filter.Conditions{payment}, at, window{before: math.MaxInt64, limit: math.MaxInt32})
	if err != nil {
		return nil, err
	}
	var told []int64
	for chunk := range slices.Chunk(cursors, atOnce) {
		in, args := " IN ("+marks(len(chunk))+")", anys(chunk)
		more, err := readKeys(ctx, tx, "SELECT delivery FROM events WHERE cursor"+in+" UNION SELECT delivery FROM repeats WHERE cursor"+in, slices.Concat(args, args)...)
		if err != nil {
			return nil, err
		}
		told = append(told, more...)
	}
	more, err := readKeys(ctx, tx, "SELECT delivery FROM notices WHERE payment = ? AND payment != ''", payment.Text)
	if err != nil {
		return nil, err
	}
	told = append(told, more...)
	slices.Sort(told)
	return slices.Compact(told), nil
}
