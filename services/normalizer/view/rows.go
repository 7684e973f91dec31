package view

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// many is how many rows one statement inserts when there are that many.
const many = 16

// inserts are the prepared statements that write.
type inserts struct {
	begin, commit, rollback *sql.Stmt
	meta, class, notice     *sql.Stmt
	repeat, release         *sql.Stmt
	updatePayment, part     *sql.Stmt
	oldKey                  *sql.Stmt
	events, payments, keys  table
	deliveries              table
}

// table inserts rows of one table, many with one statement where it can.
type table struct {
	columns   int
	one, many *sql.Stmt
}

func (p *preparer) inserts() inserts {
	return inserts{
		begin: p.prepare("BEGIN IMMEDIATE"), commit: p.prepare("COMMIT"), rollback: p.prepare("ROLLBACK"),
		meta:          p.prepare("UPDATE meta SET ledger_sequence = ?, cursor = ?, high_time = ?, lateness = ?, delivery_high_time = ?, delivery_lateness = ?"),
		class:         p.prepare("INSERT INTO classes VALUES (" + marks(12) + ")"),
		notice:        p.prepare("INSERT INTO notices VALUES (" + marks(7) + ")"),
		repeat:        p.prepare("INSERT OR IGNORE INTO repeats VALUES (?, ?, ?)"),
		release:       p.prepare("UPDATE notices SET released = ? WHERE delivery = ? AND item = ? AND released = 0"),
		updatePayment: p.prepare("UPDATE payments SET update_cursor = ?, class = ?, update_time = ?, provider_payment_id = ?, merchant_reference = ?, state = ? WHERE id = ?"),
		part:          p.prepare("UPDATE parts SET cursor = ?, payment = ? WHERE part = ?"),
		oldKey:        p.prepare("INSERT OR IGNORE INTO keys VALUES (?, ?)"),
		events:        p.table("events", 8),
		deliveries:    p.table("deliveries", 4),
		payments:      p.table("payments", 8),
		keys:          p.table("keys", 2),
	}
}

// preparer prepares statements until one fails.
type preparer struct {
	ctx  context.Context // for the length of one call
	conn *sql.Conn
	done []*sql.Stmt
	err  error
}

func (p *preparer) prepare(query string) *sql.Stmt {
	if p.err != nil {
		return nil
	}
	var s *sql.Stmt
	if s, p.err = p.conn.PrepareContext(p.ctx, query); p.err == nil {
		p.done = append(p.done, s)
	}
	return s
}

func (p *preparer) table(name string, columns int) table {
	row := "(" + marks(columns) + ")"
	return table{
		columns: columns,
		one:     p.prepare("INSERT OR ROLLBACK INTO " + name + " VALUES " + row),
		many:    p.prepare("INSERT OR ROLLBACK INTO " + name + " VALUES " + strings.Repeat(row+",", many-1) + row),
	}
}

// rows gathers rows for a table.
type rows struct {
	table *table
	args  []any
}

func newRows(t *table) *rows { return &rows{table: t, args: make([]any, 0, many*t.columns)} }

// add takes the columns of one row.
func (r *rows) add(ctx context.Context, columns ...any) error {
	r.args = append(r.args, columns...)
	if len(r.args) < many*r.table.columns {
		return nil
	}
	_, err := r.table.many.ExecContext(ctx, r.args...)
	r.args = r.args[:0]
	return err
}

func (r *rows) addKeys(ctx context.Context, keys []key) error {
	for _, k := range keys {
		if err := r.add(ctx, k.hash, k.row); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) flush(ctx context.Context) error {
	for len(r.args) > 0 {
		if _, err := r.table.one.ExecContext(ctx, r.args[:r.table.columns]...); err != nil {
			return err
		}
		r.args = r.args[r.table.columns:]
	}
	return nil
}

// addEvent adds the row of an event; blob is the event in protobuf, nil when it is not at hand.
func (v *View) addEvent(ctx context.Context, to *rows, e *eventv1.PaymentStatusChanged, blob []byte, next *change) error {
	id, err := v.classID(ctx, classOfEvent(e))
	if err != nil {
		return err
	}
	if blob == nil {
		if blob, err = proto.Marshal(e); err != nil {
			return err
		}
	}
	if v.filling {
		v.spill.keys = eventKeys(v.spill.keys, e)
	} else {
		next.keys = eventKeys(next.keys, e)
	}
	delivery, item := deliveryID(e.GetDelivery()), e.GetLedgerPosition().GetItem()
	if at := e.GetLedgerPosition(); at.GetSequence() != sequenceOf(delivery) && e.GetSupersedes() == "" {
		// Published by a command: it was a notice, or nothing, before.
		next.released = append(next.released, release{e.GetCursor(), delivery, item})
	}
	return to.add(ctx,
		e.GetCursor(), id, nullTime(filter.Nanos(e.GetReceiveTime())), nullTime(filter.Nanos(e.GetOccurTime())), next.events.high,
		delivery, item, blob)
}

func (v *View) addNotice(ctx context.Context, n *eventv1.QuarantineNotice) error {
	blob, err := proto.Marshal(n)
	if err != nil {
		return err
	}
	_, err = v.insert.notice.ExecContext(ctx, n.GetCursor(), deliveryID(n.GetDelivery()), n.GetLedgerPosition().GetItem(),
		int32(n.GetReason()), n.GetPayment(), 0, blob)
	return err
}

// addDelivery adds the row of a delivery that is above those that are stored.
func (v *View) addDelivery(ctx context.Context, to *rows, d *Delivery, next *change) error {
	id, err := v.classID(ctx, classOfDelivery(d))
	if err != nil {
		return err
	}
	var received, high sql.NullInt64
	if !d.ReceiveTime.IsZero() {
		received = nullTime(filter.Nanos(timestamppb.New(d.ReceiveTime)))
		next.deliveries.observe(received.Int64)
	}
	if !received.Valid || next.deliveries.high != received.Int64 {
		high = nullTime(next.deliveries.high, true)
	}
	next.lastDelivery = d.Key()
	return to.add(ctx, next.lastDelivery, id, received, high)
}

// putStates inserts or replaces the payments of b, unless the stored one is as new.
func (v *View) putStates(ctx context.Context, b Batch, next *change) error {
	stored, err := v.storedPayments(ctx, slices.Collect(maps.Keys(b.States)))
	if err != nil {
		return err
	}
	added := newRows(&v.insert.payments)
	for _, states := range []map[string]*ledgerv1.PaymentState{b.States, b.New} {
		for name, s := range states {
			if err := v.putState(ctx, added, name, s, stored[name], next); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return added.flush(ctx)
}

func (v *View) putState(ctx context.Context, added *rows, name string, s *ledgerv1.PaymentState, old storedPayment, next *change) error {
	all, lead := Last(s), Lead(s)
	if len(all) == 0 || all[0].GetCursor() <= old.updateCursor {
		return nil
	}
	last := all[0]
	id, err := v.classID(ctx, classOfPayment(lead, s))
	if err != nil {
		return err
	}
	blob, err := proto.Marshal(stateOf(s))
	if err != nil {
		return err
	}
	updated := nullTime(filter.Nanos(last.GetReceiveTime()))
	providerID, reference := lead.GetProviderPaymentId(), MerchantReference(s)
	row := storedPayment{old.id, last.GetCursor(), providerID, reference}
	if old.id == 0 {
		next.lastPayment++
		row.id = next.lastPayment
	}
	if next.payments != nil {
		next.payments[name] = row
	}
	if old.id == 0 {
		if v.filling {
			v.spill.keys = paymentKeys(v.spill.keys, row.id, name, providerID, reference)
			next.keys = append(next.keys, key{hash(paymentByName, name), row.id})
		} else {
			next.keys = paymentKeys(next.keys, row.id, name, providerID, reference)
		}
		return added.add(ctx, row.id, last.GetCursor(), id, updated, name, providerID, reference, blob)
	}
	changed := old.providerPaymentID != providerID || old.merchantReference != reference
	if changed && v.filling {
		v.spill.keys = paymentKeys(v.spill.keys, old.id, name, providerID, reference)
	}
	if changed && !v.filling {
		// Memory is read back by the ids of payments that are new, and this one
		// may not be. Keys that have become wrong are found out by the text.
		for _, k := range paymentKeys(nil, old.id, name, providerID, reference) {
			if _, err := v.insert.oldKey.ExecContext(ctx, k.hash, k.row); err != nil {
				return err
			}
		}
	}
	_, err = v.insert.updatePayment.ExecContext(ctx, last.GetCursor(), id, updated, providerID, reference, blob, old.id)
	return err
}
