package view

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fillingSuffix is what is added to the name of the file that is being filled.
const fillingSuffix = "-filling"

// BeginFill makes an empty view ready to be filled with many batches: they go to
// another file, where nothing is logged or synced and which becomes the view's with
// EndFill. Until then readers get ErrFilling, and after a crash or Close the view is
// empty. A filling that was begun before, or has failed, starts over.
func (v *View) BeginFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stored.Position != (Position{}) && !v.filling {
		return fmt.Errorf("fill %s: it is not empty", v.path)
	}
	v.filling, v.broken = true, true
	if err := v.beginFill(ctx); err != nil {
		return fmt.Errorf("fill %s: %w", v.path, v.explain(err))
	}
	v.broken = false
	return nil
}

func (v *View) beginFill(ctx context.Context) error {
	if err := v.detach(); err != nil {
		return err
	}
	// Without the empty file, no log of it can be taken for the new one's.
	if err := errors.Join(Remove(v.path), Remove(v.path+fillingSuffix)); err != nil {
		return err
	}
	if err := v.attach(ctx, v.path+fillingSuffix, filling); err != nil {
		return err
	}
	v.memory.forget()
	clear(v.known)
	if err := v.recall(ctx); err != nil {
		return err
	}
	if err := v.each(ctx, eachIndex(func(name, _ string) string { return "DROP INDEX " + name })); err != nil {
		return err
	}
	return v.openSpill(ctx)
}

// EndFill stores the keys, makes the indexes and returns when everything is on the disk.
func (v *View) EndFill(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.filling {
		return fmt.Errorf("end the filling of %s: none was begun", v.path)
	}
	if err := v.whole(); err != nil {
		return err
	}
	v.broken = true
	if err := v.endFill(ctx); err != nil {
		return fmt.Errorf("end the filling of %s: %w", v.path, v.explain(err))
	}
	v.filling, v.broken, v.spill = false, false, nil
	return nil
}

// whole returns an error when a filling has failed: without a log, a transaction
// that was cut short cannot be taken back.
func (v *View) whole() error {
	if v.broken {
		return fmt.Errorf("fill %s: %w: it has failed and must be begun again", v.path, ErrFilling)
	}
	return nil
}

func (v *View) endFill(ctx context.Context) error {
	if err := v.gather(ctx); err != nil {
		return err
	}
	if err := v.each(ctx, eachIndex(func(_, statement string) string { return statement })); err != nil {
		return err
	}
	if err := v.detach(); err != nil {
		return err
	}
	if err := syncFile(v.path + fillingSuffix); err != nil {
		return err
	}
	if err := os.Rename(v.path+fillingSuffix, v.path); err != nil {
		return err
	}
	if err := syncFile(filepath.Dir(v.path)); err != nil {
		return err
	}
	if err := v.attach(ctx, v.path, writing); err != nil {
		return err
	}
	return v.serve()
}

// syncFile returns when a file, or the names in a folder, are on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Sync returns when everything that was applied before is on the disk: a batch is
// synced later otherwise, with many others. What is removed elsewhere because the
// view has it must wait for this. Errors: ErrFilling.
//
// It is the log that is synced. SQLite syncs the file before it begins the log anew,
// and whoever opens and closes the file beside SQLite takes its locks away.
func (v *View) Sync() error {
	v.mu.Lock() // who writes may begin the log anew
	defer v.mu.Unlock()
	if v.filling {
		return fmt.Errorf("sync the view: %w", ErrFilling)
	}
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

func (v *View) each(ctx context.Context, statements []string) error {
	for _, s := range statements {
		if _, err := v.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
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
	for _, suffix := range []string{"", logSuffix, "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove view: %w", err)
		}
	}
	return nil
}
