package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// version is raised with each change of what a file holds.
const version = 2

// schema keeps the cost of a write low; that is why it looks as it does.
//
// The fields of few values (provider, merchant, statuses and so on) are not
// columns of events: each combination that occurs is a row of classes, and one
// index over (class, cursor) serves a filter over any of them, by merging the
// classes that it matches.
//
// The IDs are found by the table keys, which leads from a hash of 64 bits to
// rows; the text itself is compared too. The newest keys are in memory only,
// see memory. Deliveries are indexed as they are, because their IDs mostly rise.
//
// high_time is the latest receive_time up to that event. It never falls from
// one cursor to the next, so that a time can be found by bisection, without an index.
const schema = `
CREATE TABLE meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	schema_version INTEGER NOT NULL,
	ledger_sequence INTEGER NOT NULL,
	cursor INTEGER NOT NULL,
	high_time INTEGER NOT NULL,
	lateness INTEGER NOT NULL
) STRICT;

CREATE TABLE classes (
	id INTEGER PRIMARY KEY,
	of INTEGER NOT NULL,
	provider TEXT NOT NULL,
	merchant TEXT NOT NULL,
	mode INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	direction INTEGER NOT NULL,
	payment_status INTEGER NOT NULL,
	refund_status INTEGER NOT NULL,
	dispute_status INTEGER NOT NULL,
	proof_status INTEGER NOT NULL,
	disposition INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
	cursor INTEGER PRIMARY KEY,
	class INTEGER NOT NULL,
	receive_time INTEGER,
	occur_time INTEGER,
	high_time INTEGER NOT NULL,
	name TEXT NOT NULL,
	payment TEXT NOT NULL,
	provider_payment_id TEXT NOT NULL,
	provider_operation_id TEXT NOT NULL,
	merchant_reference TEXT NOT NULL,
	delivery TEXT NOT NULL,
	event BLOB NOT NULL
) STRICT;
CREATE INDEX events_class ON events (class);
CREATE INDEX events_delivery ON events (delivery);

CREATE TABLE keys (
	hash INTEGER NOT NULL,
	row INTEGER NOT NULL,
	PRIMARY KEY (hash, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
	part INTEGER PRIMARY KEY,
	cursor INTEGER NOT NULL,
	payment INTEGER NOT NULL
) STRICT;

CREATE TABLE payments (
	id INTEGER PRIMARY KEY,
	update_cursor INTEGER NOT NULL,
	class INTEGER NOT NULL,
	update_time INTEGER,
	name TEXT NOT NULL,
	provider_payment_id TEXT NOT NULL,
	merchant_reference TEXT NOT NULL,
	state BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX payments_update ON payments (update_cursor);
CREATE INDEX payments_class ON payments (class, update_cursor);

CREATE TABLE notices (
	cursor INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	provider TEXT NOT NULL,
	merchant TEXT NOT NULL,
	reason INTEGER NOT NULL,
	detail TEXT NOT NULL,
	delivery TEXT NOT NULL,
	notice BLOB NOT NULL
) STRICT;
`

// meta is the one row of the table of that name.
type meta struct {
	Position
	highTime int64 // the latest receive_time so far
	lateness int64 // how far a receive_time has lain before one of an earlier cursor, at most
}

func readMeta(ctx context.Context, db querier) (m meta, err error) {
	err = db.QueryRowContext(ctx, "SELECT ledger_sequence, cursor, high_time, lateness FROM meta").
		Scan(&m.LedgerSequence, &m.Cursor, &m.highTime, &m.lateness)
	return m, err
}

// createOrCheck fills an empty file, and refuses one that this version cannot read.
func createOrCheck(ctx context.Context, conn *sql.Conn) error {
	tables, names := 0, 0
	err := conn.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema WHERE type = 'table'").
		Scan(&tables, &names)
	if err != nil {
		return err
	}
	if tables == 0 {
		return create(ctx, conn)
	}
	if names == 0 {
		return fmt.Errorf("%w: it is not a view", ErrUnusable)
	}
	var got int64
	switch err := conn.QueryRowContext(ctx, "SELECT schema_version FROM meta").Scan(&got); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: it has no version", ErrUnusable)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnusable, err)
	case got != version:
		return fmt.Errorf("%w: it has version %d, this program needs %d", ErrUnusable, got, version)
	}
	return nil
}

func create(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (1, ?, 0, 0, ?, 0)", version, noTime); err != nil {
		return err
	}
	for part := range parts {
		if _, err := tx.ExecContext(ctx, "INSERT INTO parts VALUES (?, 0, 0)", part); err != nil {
			return err
		}
	}
	return tx.Commit()
}
