// Package view keeps what the events say in a form that can be asked: a SQLite
// file with the events, the payments that they add up to, the quarantine
// notices, and the deliveries that all of it came from. It is a projection: it
// can be deleted and is then rebuilt from the events and the ledger, so it
// trades durability for speed. A power cut may take back the last batches,
// never a part of one.
//
// One goroutine writes; any number may read. Seen and States read with the
// writer, so they wait for a batch that is being applied and confirmed.
package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

var (
	// ErrNotFound says that there is no such event, payment or delivery.
	ErrNotFound = errors.New("not found")
	// ErrUnusable says that the file is damaged or of another version. It has
	// to be deleted; it is rebuilt from the events.
	ErrUnusable = errors.New("the view cannot be used: delete it, it is rebuilt from the events")
	// ErrFilling says that there is nothing to read: the view is being filled, a
	// filling has failed, or it is closed.
	ErrFilling = errors.New("the view is not open for reading: it is being made anew")
)

// readers is how many queries run at once; more wait. Each has its own page cache.
const readers = 4

// View is an open view.
type View struct {
	path   string
	read   atomic.Pointer[sql.DB] // nil while the view is being filled
	memory memory                 // changed by the writer only

	mu           sync.Mutex // guards all below: one writer
	write        *sql.DB
	conn         *sql.Conn // the only connection of write, so that statements and pages stay
	insert       inserts
	lookup       lookups
	prepared     []*sql.Stmt // all of conn
	stored       meta
	lastPayment  int64 // the highest id of a payment
	lastDelivery int64 // the highest id of a delivery
	classes      map[class]int64
	checkpoints  *checkpointer
	filling      bool   // into a file of its own, without a log
	broken       bool   // what was filled so far is of no use
	spill        *spill // while filling
	// known are rows of payments that were looked up or written of late, as they are; 0 where there is none.
	known map[string]storedPayment
}

// Position is how far a view has come.
type Position struct {
	LedgerSequence int64 // the last commit of the ledger that is in it; 0: none
	Cursor         int64 // the last event or notice that is in it; 0: none
}

// Open opens the view at path and makes it when there is none; its directory
// must exist. Errors: ErrUnusable.
func Open(ctx context.Context, path string) (*View, error) {
	v := &View{path: path, memory: memory{limit: memoryLimit}, known: map[string]storedPayment{}}
	if err := v.open(ctx); err != nil {
		_ = v.Close()
		return nil, fmt.Errorf("open view %s: %w", path, v.explain(err))
	}
	return v, nil
}

func (v *View) open(ctx context.Context) error {
	if err := Remove(v.path + fillingSuffix); err != nil {
		return err
	}
	if err := v.attach(ctx, v.path, writing); err != nil {
		return err
	}
	if err := v.recall(ctx); err != nil {
		return err
	}
	return v.serve()
}

// attach connects the writer to a file, which gets its tables when it has none.
func (v *View) attach(ctx context.Context, path string, as use) (err error) {
	if v.write, err = connect(path, as, 1); err != nil {
		return err
	}
	if v.conn, err = v.write.Conn(ctx); err != nil {
		return err
	}
	if err := createOrCheck(ctx, v.conn); err != nil {
		return err
	}
	p := preparer{ctx: ctx, conn: v.conn}
	v.insert, v.lookup = p.inserts(), p.lookups()
	v.prepared = p.done
	return p.err
}

// serve connects the readers, and who folds the log.
func (v *View) serve() error {
	read, err := connect(v.path, reading, readers)
	if err != nil {
		return err
	}
	v.read.Store(read)
	v.checkpoints, err = startCheckpointer(v.path)
	return err
}

// recall reads what is kept in memory.
func (v *View) recall(ctx context.Context) (err error) {
	if v.stored, err = readMeta(ctx, v.conn); err != nil {
		return err
	}
	if v.classes, err = readClasses(ctx, v.conn); err != nil {
		return err
	}
	if err := v.conn.QueryRowContext(ctx, "SELECT (SELECT coalesce(max(id), 0) FROM payments), (SELECT coalesce(max(id), 0) FROM deliveries)").
		Scan(&v.lastPayment, &v.lastDelivery); err != nil {
		return err
	}
	return v.load(ctx)
}

// Close waits for what runs and closes the file. The write-ahead log is folded
// into it, which SQLite does only when no statement is left. What was filled so
// far is lost.
func (v *View) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.detach()
}

// detach closes all connections.
func (v *View) detach() error {
	var errs []error
	if v.checkpoints != nil {
		errs = append(errs, v.checkpoints.close())
		v.checkpoints = nil
	}
	if read := v.read.Swap(nil); read != nil {
		errs = append(errs, read.Close())
	}
	for _, stmt := range v.prepared {
		errs = append(errs, stmt.Close())
	}
	if v.conn != nil {
		errs = append(errs, v.conn.Close())
	}
	if v.write != nil {
		errs = append(errs, v.write.Close())
	}
	v.prepared, v.conn, v.write = nil, nil, nil
	return errors.Join(errs...)
}

// reader returns who reads.
func (v *View) reader() (*sql.DB, error) {
	if read := v.read.Load(); read != nil {
		return read, nil
	}
	return nil, ErrFilling
}

// Position returns how far the view has come. Errors: ErrFilling.
func (v *View) Position(ctx context.Context) (Position, error) {
	read, err := v.reader()
	if err != nil {
		return Position{}, err
	}
	m, err := readMeta(ctx, read)
	if err != nil {
		return Position{}, fmt.Errorf("read position: %w", v.explain(err))
	}
	return m.Position, nil
}
