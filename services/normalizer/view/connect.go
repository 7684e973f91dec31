package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"
)

// querier is a connection, a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// use is what a connection is for: its mode, and SQLite's settings.
type use []string

// The write-ahead log is folded into the file by a checkpointer; the writer does
// so itself only when the log has 65 536 pages (256 MiB). The writer's cache
// (8 MiB) holds the inner pages of all indexes. A file that is being filled has
// no log at all: it counts only once it is whole.
var (
	reading = use{"ro", "query_only(1)", "cache_size(-8192)"}
	writing = use{
		"rwc", "page_size(4096)", "journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(65536)",
		"journal_size_limit(67108864)", "cache_size(-8192)", "temp_store(MEMORY)",
	}
	filling = use{
		"rwc", "page_size(4096)", "locking_mode(EXCLUSIVE)", "journal_mode(OFF)", "synchronous(OFF)",
		"cache_size(-16384)", "temp_store(MEMORY)",
	}
)

// connect opens a pool of at most size connections.
func connect(path string, as use, size int) (*sql.DB, error) {
	dsn := url.URL{
		Scheme: "file", OmitHost: true, Path: path,
		RawQuery: url.Values{"mode": as[:1], "_pragma": append([]string{"busy_timeout(5000)"}, as[1:]...)}.Encode(),
	}
	if err := registerTextOf(); err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// SQLite's result codes for a file that is damaged or is no database.
const (
	corrupt     = 11
	notDatabase = 26
)

// explain adds ErrUnusable where SQLite says that the file is damaged.
func (v *View) explain(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		if code := e.Code() & 0xff; code == corrupt || code == notDatabase {
			return fmt.Errorf("%w (%s): %w", ErrUnusable, v.path, err)
		}
	}
	return err
}
