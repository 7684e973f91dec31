package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// The rows of payments that were looked up or written of late are known, so that
// they are not looked up again. When there are more than maxKnown, all are forgotten
// before States adds some; outside of a filling, when there are more than maxKept,
// before Apply does.
const (
	maxKnown = 32_000
	maxKept  = 4096
)

// widths are how many names one statement looks up; the last name is repeated
// to fill it. Three sizes keep the statements few and the filling short.
var widths = [...]int{1, 8, 64}

// lookups are the prepared statements that find rows.
type lookups struct {
	keys                 [len(widths)]*sql.Stmt // by hash
	seen, state, payment [len(widths)]*sql.Stmt // by cursor or id
	event                [len(widths)]*sql.Stmt // by cursor
}

// storedPayment is what a payment's row says, without its state. id is 0 when
// there is none.
type storedPayment struct {
	id, updateCursor                     int64
	providerPaymentID, merchantReference string
}

func (p *preparer) lookups() (l lookups) {
	for i, w := range widths {
		in := " IN (" + marks(w) + ")"
		l.keys[i] = p.prepare("SELECT row FROM keys WHERE hash" + in)
		l.seen[i] = p.prepare("SELECT " + textOf("event", "name") + ", cursor, delivery, item FROM events WHERE cursor" + in)
		l.event[i] = p.prepare("SELECT cursor, event FROM events WHERE cursor" + in)
		l.state[i] = p.prepare("SELECT name, id, update_cursor, provider_payment_id, merchant_reference, state FROM payments WHERE id" + in)
		l.payment[i] = p.prepare("SELECT name, id, update_cursor, provider_payment_id, merchant_reference FROM payments WHERE id" + in)
	}
	return l
}

// Origin says which event tells a fact, and which item told it first.
type Origin struct {
	Cursor      int64 // of the event
	Sequence    int64 // of the commit of the delivery
	Index, Item int   // of the delivery within the commit, of the item within the delivery
}

// Seen returns those of the events that exist. It reads the batches that were applied before.
// Errors: ErrFilling, because the keys of events are put aside then.
func (v *View) Seen(ctx context.Context, names []string) (map[string]Origin, error) {
	out := map[string]Origin{}
	err := v.eachNamed(ctx, eventByName, names, &v.lookup.seen, func(rows *sql.Rows) (name string, err error) {
		var o Origin
		var delivery int64
		err = rows.Scan(&name, &o.Cursor, &delivery, &o.Item)
		o.Sequence, o.Index = sequenceOf(delivery), indexOf(delivery)
		out[name] = o
		return name, err
	}, func() error {
		if v.filling {
			return ErrFilling
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d events: %w", len(names), v.explain(err))
	}
	return only(out, names), nil
}

// States returns the states of those of the payments that exist. It reads the
// batches that were applied before, and what it finds serves the next one, too.
func (v *View) States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error) {
	out, found := map[string]*ledgerv1.PaymentState{}, make(map[string]storedPayment, len(payments))
	var blob sql.RawBytes
	err := v.eachNamed(ctx, paymentByName, payments, &v.lookup.state, func(rows *sql.Rows) (name string, err error) {
		var p storedPayment
		if err := rows.Scan(&name, &p.id, &p.updateCursor, &p.providerPaymentID, &p.merchantReference, &blob); err != nil {
			return "", err
		}
		found[name] = p
		s := &ledgerv1.PaymentState{}
		out[name] = s
		return name, unmarshal(blob, s)
	}, func() error {
		if len(v.known) > maxKnown { // asked by others than who applies
			clear(v.known)
		}
		for _, name := range payments {
			v.known[name] = found[name]
		}
		return restore(slices.Collect(maps.Values(out)), func(cursors []int64, row func(*sql.Rows) error) error {
			return eachIn(context.WithoutCancel(ctx), &v.lookup.event, cursors, row)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d payments: %w", len(payments), v.explain(err))
	}
	return only(out, payments), nil
}

// eachNamed is eachFound for callers that do not write. found is called at the end,
// before anybody writes.
func (v *View) eachNamed(ctx context.Context, k kind, names []string, by *[len(widths)]*sql.Stmt, row func(*sql.Rows) (string, error), found func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.whole(); err != nil {
		return err
	}
	if err := v.eachFound(context.WithoutCancel(ctx), k, names, by, row); err != nil {
		return err
	}
	return found()
}

// storedPayments finds the rows of payments by name. They are not known any more
// then, because they change.
func (v *View) storedPayments(ctx context.Context, names []string) (map[string]storedPayment, error) {
	out := make(map[string]storedPayment, len(names))
	var unknown []string
	for _, name := range names {
		p, ok := v.known[name]
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		out[name] = p
		delete(v.known, name)
	}
	err := v.eachFound(ctx, paymentByName, unknown, &v.lookup.payment, func(rows *sql.Rows) (name string, err error) {
		var p storedPayment
		err = rows.Scan(&name, &p.id, &p.updateCursor, &p.providerPaymentID, &p.merchantReference)
		out[name] = p
		return name, err
	})
	return out, err
}

// eachFound calls row for each row that has one of names, and for rows of
// other names with the same hash. row returns the name. What is in memory is
// not looked for in the table.
func (v *View) eachFound(ctx context.Context, k kind, names []string, by *[len(widths)]*sql.Stmt, row func(*sql.Rows) (string, error)) error {
	found := map[string]bool{}
	visit := func(rows *sql.Rows) error {
		name, err := row(rows)
		found[name] = true
		return err
	}
	hashes := make([]int64, 0, len(names))
	for _, name := range names {
		hashes = append(hashes, hash(k, name))
	}
	at := v.memory.rows(hashes...)
	if err := eachIn(ctx, by, at, visit); err != nil {
		return err
	}
	hashes = hashes[:0]
	for _, name := range names {
		if !found[name] {
			hashes = append(hashes, hash(k, name))
		}
	}
	at = at[:0]
	err := eachIn(ctx, &v.lookup.keys, hashes, func(rows *sql.Rows) error {
		var row int64
		err := rows.Scan(&row)
		at = append(at, row)
		return err
	})
	if err != nil {
		return err
	}
	return eachIn(ctx, by, at, visit)
}

// eachIn calls row for each row that a statement finds for values, which it sorts:
// what lies side by side in the file is then read together.
func eachIn(ctx context.Context, stmts *[len(widths)]*sql.Stmt, values []int64, row func(*sql.Rows) error) error {
	slices.Sort(values)
	values = slices.Compact(values)
	for chunk := range slices.Chunk(values, widths[len(widths)-1]) {
		i := slices.IndexFunc(widths[:], func(w int) bool { return len(chunk) <= w })
		args := make([]any, widths[i])
		for j := range args {
			args[j] = chunk[min(j, len(chunk)-1)]
		}
		rows, err := stmts[i].QueryContext(ctx, args...)
		if err := eachRow(rows, err, row); err != nil {
			return err
		}
	}
	return nil
}

// eachRow calls row for each of rows and closes them.
func eachRow(rows *sql.Rows, err error, row func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// only removes from m what merely shares a hash with one of names.
func only[V any](m map[string]V, names []string) map[string]V {
	if len(m) == 0 {
		return m
	}
	out := make(map[string]V, len(m))
	for _, name := range names {
		if found, ok := m[name]; ok {
			out[name] = found
		}
	}
	return out
}

// Event returns one event. Errors: ErrNotFound.
func (v *View) Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error) {
	e := &eventv1.PaymentStatusChanged{}
	if err := v.named(ctx, "SELECT event FROM events WHERE "+textOf("event", "name")+" = ? AND cursor", eventByName, name, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Payment returns one payment. Errors: ErrNotFound.
func (v *View) Payment(ctx context.Context, name string) (Payment, error) {
	s := &ledgerv1.PaymentState{}
	if err := v.named(ctx, "SELECT state FROM payments WHERE name = ? AND id", paymentByName, name, s); err != nil {
		return Payment{}, err
	}
	db, err := v.reader()
	if err != nil {
		return Payment{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := restoreFrom(ctx, db, s); err != nil { // what the state names was there before it
		return Payment{}, fmt.Errorf("%s: %w", name, v.explain(err))
	}
	p := Payment{Name: name, State: s}
	if last := Last(s); len(last) > 0 {
		p.UpdateCursor = last[0].GetCursor()
	}
	return p, nil
}

// named reads the row of name. query ends before the rows that it is one of.
func (v *View) named(ctx context.Context, query string, k kind, name string, into proto.Message) error {
	h := hash(k, name)
	// Memory first: what leaves it meanwhile is in the table by then.
	query += " IN (SELECT row FROM keys WHERE hash = ?"
	args := []any{name, h}
	for _, at := range v.memory.rows(h) {
		query += " UNION ALL VALUES (?)"
		args = append(args, at)
	}
	db, err := v.reader()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var blob []byte
	switch err := db.QueryRowContext(ctx, query+")", args...).Scan(&blob); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", name, ErrNotFound)
	case err != nil:
		return fmt.Errorf("%s: %w", name, v.explain(err))
	}
	if err := unmarshal(blob, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// atOnce is how many values a statement that is not prepared asks for at once.
const atOnce = 500

// anys returns values as the parameters of a statement; marks stand for n of them in it.
func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func marks(n int) string { return strings.Repeat("?,", n-1) + "?" }
