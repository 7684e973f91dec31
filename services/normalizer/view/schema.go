package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
)

// version is raised with each change of what a file holds.
const version = 5

// coarse is the version before, whose parts of keys are those of the first four bits of a hash.
const coarse = 4

// schema keeps the cost of a write low; that is why it looks as it does.
//
// The fields of few values (provider, merchant, statuses and so on) are not
// columns of events: each combination that occurs is a row of classes, and one
// index over (class, cursor) serves a filter over any of them, by merging the
// classes that it matches.
//
// The IDs are found by the table keys, which leads from a hash of 64 bits to
// rows; the text itself is compared too, see textOf: events have no columns for
// their texts. The newest keys are in memory only, see memory. Deliveries are
// numbers, see deliveryID, that mostly rise from one event to the next; so they
// are indexed as they are.
//
// The state of a payment holds its last events by their cursors, see stateOf.
//
// high_time is the latest receive_time up to that event or delivery. It never
// falls from one row to the next, so that a time can be found by bisection,
// without an index. A delivery's is left out where it is its own receive_time.
//
// A repeat is an item that told a fact again. Most deliveries have none, and
// what became of their items is found by the events and notices that name them.
const schema = `
CREATE TABLE meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	schema_version INTEGER NOT NULL,
	ledger_sequence INTEGER NOT NULL,
	cursor INTEGER NOT NULL,
	high_time INTEGER NOT NULL,
	lateness INTEGER NOT NULL,
	delivery_high_time INTEGER NOT NULL,
	delivery_lateness INTEGER NOT NULL
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
	delivery INTEGER NOT NULL,
	item INTEGER NOT NULL,
	event BLOB NOT NULL
) STRICT;

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

CREATE TABLE deliveries (
	id INTEGER PRIMARY KEY,
	class INTEGER NOT NULL,
	receive_time INTEGER,
	high_time INTEGER
) STRICT;

CREATE TABLE repeats (
	delivery INTEGER NOT NULL,
	item INTEGER NOT NULL,
	cursor INTEGER NOT NULL,
	PRIMARY KEY (delivery, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX repeats_cursor ON repeats (cursor);

CREATE TABLE notices (
	cursor INTEGER PRIMARY KEY,
	delivery INTEGER NOT NULL,
	item INTEGER NOT NULL,
	reason INTEGER NOT NULL,
	payment TEXT NOT NULL,
	released INTEGER NOT NULL,
	notice BLOB NOT NULL
) STRICT;
CREATE INDEX notices_delivery ON notices (delivery, item);
CREATE INDEX notices_payment ON notices (payment) WHERE payment != '';
CREATE INDEX notices_open ON notices (delivery) WHERE released = 0;
CREATE INDEX notices_reason ON notices (reason, delivery) WHERE released = 0;
`

// indexes are those of the large tables, which a view that is being filled does without.
const indexes = `
CREATE INDEX events_class ON events (class);
CREATE INDEX events_delivery ON events (delivery);
CREATE UNIQUE INDEX payments_update ON payments (update_cursor);
CREATE INDEX payments_class ON payments (class, update_cursor);
CREATE INDEX deliveries_class ON deliveries (class);
`

// meta is the one row of the table of that name.
type meta struct {
	Position
	events, deliveries clock
}

// clock is what the times of receipt in the order of a table's key have shown.
type clock struct {
	high     int64 // the latest so far
	lateness int64 // how far one has lain before an earlier row's, at most
}

// observe takes a time of receipt into account.
func (c *clock) observe(t int64) {
	if t >= c.high {
		c.high = t
		return
	}
	// Times lie within 584 years of each other, which int64 can hold only as uint64.
	c.lateness = max(c.lateness, int64(min(uint64(c.high)-uint64(t), math.MaxInt64)))
}

func readMeta(ctx context.Context, db querier) (m meta, err error) {
	err = db.QueryRowContext(ctx, "SELECT ledger_sequence, cursor, high_time, lateness, delivery_high_time, delivery_lateness FROM meta").
		Scan(&m.LedgerSequence, &m.Cursor, &m.events.high, &m.events.lateness, &m.deliveries.high, &m.deliveries.lateness)
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
	case got == coarse:
		return divide(ctx, conn)
	case got != version:
		return fmt.Errorf("%w: it has version %d, this program needs %d", ErrUnusable, got, version)
	}
	return nil
}

// divide makes a file of version coarse one of this version: what is in the table of
// a part is in that of each part that it is divided into.
func divide(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, step := range []string{
		"CREATE TEMP TABLE before AS SELECT part, cursor, payment FROM parts",
		"DELETE FROM parts",
	} {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	for part := range parts {
		// The sign comes first in the order of the table, and came last in that of bits.
		before := (part ^ parts/2) / (parts / 16)
		done, err := tx.ExecContext(ctx, "INSERT INTO parts SELECT ?, cursor, payment FROM temp.before WHERE part = ?", part, before)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%w: part %d of its keys is not there", ErrUnusable, before)
		}
	}
	for _, step := range []string{"DROP TABLE temp.before", fmt.Sprintf("UPDATE meta SET schema_version = %d", version)} {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func create(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, schema+indexes); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (1, ?, 0, 0, ?, 0, ?, 0)", version, noTime, noTime); err != nil {
		return err
	}
	for part := range parts {
		if _, err := tx.ExecContext(ctx, "INSERT INTO parts VALUES (?, 0, 0)", part); err != nil {
			return err
		}
	}
	return tx.Commit()
}
