package view

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// BeginFill makes an empty view ready to be filled with many batches: nothing is
// synced, and the indexes are made at the end. Lists do not work meanwhile. A
// crash before EndFill has returned empties the view.
func (v *View) BeginFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stored.Position != (Position{}) {
		return fmt.Errorf("fill %s: it is not empty", v.path)
	}
	v.filling = true
	// The mark has to be on the disk before anything that is not synced.
	return v.each(ctx, "fill", append([]string{
		"PRAGMA synchronous = FULL", "UPDATE meta SET filling = 1", "PRAGMA synchronous = OFF",
	}, eachIndex(func(name, _ string) string { return "DROP INDEX " + name })...)...)
}

// EndFill makes the indexes and returns when everything is on the disk.
func (v *View) EndFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	makeIndexes := eachIndex(func(_, statement string) string { return statement })
	if err := v.each(ctx, "end the filling", append(makeIndexes, "PRAGMA synchronous = FULL")...); err != nil {
		return err
	}
	// The checkpoint syncs the whole file; only then the mark may go.
	var busy, inLog, moved int
	if err := v.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &moved); err != nil {
		return fmt.Errorf("end the filling of %s: %w", v.path, v.explain(err))
	}
	if busy != 0 {
		return fmt.Errorf("end the filling of %s: the file is in use", v.path)
	}
	v.filling = false
	return v.each(ctx, "end the filling", "UPDATE meta SET filling = 0", "PRAGMA synchronous = NORMAL")
}

// Sync returns when everything that was applied before is on the disk: a batch is
// synced later otherwise, with many others. What is removed elsewhere because the
// view has it must wait for this.
//
// It is the log that is synced. SQLite syncs the file before it begins the log anew,
// and whoever opens and closes the file beside SQLite takes its locks away.
func (v *View) Sync() error {
	v.mu.Lock() // who writes may begin the log anew
	defer v.mu.Unlock()
	f, err := os.OpenFile(v.path+logSuffix, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("sync the view: %w", err)
	}
	return nil
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
