package view

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// BeginFill makes an empty view ready to be filled with many batches: there is
// no write-ahead log, nothing is synced, and the indexes are made at the end. Who
// reads meanwhile waits, or fails. A crash before EndFill has returned empties the
// view; when filling fails, the view has to be closed.
func (v *View) BeginFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stored.Position != (Position{}) {
		return fmt.Errorf("fill %s: it is not empty", v.path)
	}
	v.filling = true
	v.read.SetMaxIdleConns(0) // the log can be given up by the only connection
	// The mark has to be on the disk before anything that is not synced.
	if err := v.each(ctx, "fill", "PRAGMA synchronous = FULL", "UPDATE meta SET filling = 1"); err != nil {
		return err
	}
	if err := v.journal(ctx, "off"); err != nil {
		return err
	}
	return v.each(ctx, "fill", append(eachIndex(func(name, _ string) string { return "DROP INDEX " + name }), "PRAGMA synchronous = OFF")...)
}

// EndFill makes the indexes and returns when everything is on the disk.
func (v *View) EndFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.each(ctx, "end the filling", eachIndex(func(_, statement string) string { return statement })...); err != nil {
		return err
	}
	// Only when the whole file is on the disk, the mark may go.
	if err := syncFile(v.path); err != nil {
		return fmt.Errorf("end the filling: %w", err)
	}
	if err := v.each(ctx, "end the filling", "PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	if err := v.journal(ctx, "wal"); err != nil {
		return err
	}
	v.read.SetMaxIdleConns(readers)
	v.filling = false
	return v.each(ctx, "end the filling", "UPDATE meta SET filling = 0", "PRAGMA synchronous = NORMAL")
}

// journal changes how SQLite protects what it writes. It cannot while the file is in use.
func (v *View) journal(ctx context.Context, mode string) error {
	var got string
	if err := v.conn.QueryRowContext(ctx, "PRAGMA journal_mode = "+mode).Scan(&got); err != nil {
		return fmt.Errorf("fill %s: journal_mode: %w", v.path, v.explain(err))
	}
	if got != mode {
		return fmt.Errorf("fill %s: journal_mode is %s, not %s: is the file in use?", v.path, got, mode)
	}
	return nil
}

// Sync returns when everything that was applied before is on the disk: a batch is
// synced later otherwise, with many others. What is removed elsewhere because the
// view has it must wait for this.
func (v *View) Sync() error {
	v.mu.Lock() // the file and its log change places under it
	defer v.mu.Unlock()
	for _, path := range []string{v.path + logSuffix, v.path} {
		if err := syncFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sync the view: %w", err)
		}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// logSuffix is what SQLite calls the write-ahead log beside a file.
const logSuffix = "-wal"

func (v *View) each(ctx context.Context, what string, statements ...string) error {
	for _, s := range statements {
		if _, err := v.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s %s: %s: %w", what, v.path, s, v.explain(err))
		}
	}
	return nil
}

// eachIndex calls f with the name of each of indexes and the statement that makes it.
func eachIndex(f func(name, statement string) string) (out []string) {
	for statement := range strings.SplitSeq(strings.TrimSpace(indexes), ";") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		_, name, _ := strings.Cut(statement, "INDEX ")
		name, _, _ = strings.Cut(name, " ")
		out = append(out, f(name, statement))
	}
	return out
}

// Remove deletes the file of a view that is not open, with what SQLite keeps
// beside it. There need not be one.
func Remove(path string) error {
	for _, suffix := range []string{"", logSuffix, "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove view: %w", err)
		}
	}
	return nil
}
