package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// widths are how many names one statement looks up; the last name is repeated
// to fill it. Three sizes keep the statements few and the filling short.
var widths = [...]int{1, 8, 64}

// lookups are the prepared statements that find rows by name.
type lookups struct {
	seen, state, payment [len(widths)]*sql.Stmt
}

// storedPayment is what a payment's row says, without its state. id is 0 when
// there is none.
type storedPayment struct {
	id, updateCursor                     int64
	providerPaymentID, merchantReference string
}

func (p *preparer) lookups() (l lookups) {
	for i, w := range widths {
		in := " WHERE name_hash IN (" + marks(w) + ")"
		l.seen[i] = p.prepare("SELECT name FROM events INDEXED BY events_name" + in)
		l.state[i] = p.prepare("SELECT name, state FROM payments INDEXED BY payments_name" + in)
		l.payment[i] = p.prepare("SELECT name, id, update_cursor, provider_payment_id, merchant_reference FROM payments INDEXED BY payments_name" + in)
	}
	return l
}

// Seen says which of the events exist. It reads the batches that were applied before.
func (v *View) Seen(ctx context.Context, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	var name string
	err := v.each(ctx, &v.lookup.seen, names, func(rows *sql.Rows) error {
		if err := rows.Scan(&name); err != nil {
			return err
		}
		out[name] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d events: %w", len(names), v.explain(err))
	}
	return only(out, names), nil
}

// States returns the states of those of the payments that exist. It reads the
// batches that were applied before.
func (v *View) States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error) {
	out := map[string]*ledgerv1.PaymentState{}
	var name string
	var blob sql.RawBytes
	err := v.each(ctx, &v.lookup.state, payments, func(rows *sql.Rows) error {
		if err := rows.Scan(&name, &blob); err != nil {
			return err
		}
		s := &ledgerv1.PaymentState{}
		out[name] = s
		return proto.Unmarshal(blob, s)
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d payments: %w", len(payments), v.explain(err))
	}
	return only(out, payments), nil
}

func (v *View) each(ctx context.Context, stmts *[len(widths)]*sql.Stmt, names []string, row func(*sql.Rows) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return eachNamed(context.WithoutCancel(ctx), stmts, names, row)
}

// payments finds the rows of payments by name.
func (l *lookups) payments(ctx context.Context, names []string) (map[string]storedPayment, error) {
	out := map[string]storedPayment{}
	err := eachNamed(ctx, &l.payment, names, func(rows *sql.Rows) error {
		var name string
		var p storedPayment
		err := rows.Scan(&name, &p.id, &p.updateCursor, &p.providerPaymentID, &p.merchantReference)
		out[name] = p
		return err
	})
	return out, err
}

// eachNamed calls row for each row whose name hash is that of one of names.
// Rows of other names with the same hash are among them.
func eachNamed(ctx context.Context, stmts *[len(widths)]*sql.Stmt, names []string, row func(*sql.Rows) error) error {
	for chunk := range slices.Chunk(names, widths[len(widths)-1]) {
		i := slices.IndexFunc(widths[:], func(w int) bool { return len(chunk) <= w })
		args := make([]any, widths[i])
		for j := range args {
			args[j] = hash(chunk[min(j, len(chunk)-1)])
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
	if err := v.named(ctx, "SELECT event FROM events INDEXED BY events_name WHERE name_hash = ? AND name = ?", name, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Payment returns one payment. Errors: ErrNotFound.
func (v *View) Payment(ctx context.Context, name string) (Payment, error) {
	s := &ledgerv1.PaymentState{}
	if err := v.named(ctx, "SELECT state FROM payments INDEXED BY payments_name WHERE name_hash = ? AND name = ?", name, s); err != nil {
		return Payment{}, err
	}
	return Payment{Name: name, State: s}, nil
}

func (v *View) named(ctx context.Context, query, name string, into proto.Message) error {
	var blob []byte
	switch err := v.read.QueryRowContext(ctx, query, hash(name), name).Scan(&blob); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", name, ErrNotFound)
	case err != nil:
		return fmt.Errorf("%s: %w", name, v.explain(err))
	}
	if err := proto.Unmarshal(blob, into); err != nil {
		return fmt.Errorf("%s: %w: %w", name, ErrUnusable, err)
	}
	return nil
}

// hash is FNV-1a, which stays the same from one run to the next.
func hash(s string) int64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return int64(h)
}

// nullHash leaves out empty IDs.
func nullHash(s string) sql.NullInt64 { return sql.NullInt64{Int64: hash(s), Valid: s != ""} }

func marks(n int) string { return strings.Repeat("?,", n-1) + "?" }
