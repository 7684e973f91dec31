package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/serve"
)

type (
	backupCmd struct {
		configFlag
		To string `arg:"" help:"The file to write. It must not be there yet." type:"path" placeholder:"FILE"`
	}
	restoreCmd struct {
		configFlag
		From string `arg:"" help:"The backup to read." placeholder:"FILE"`
	}
	verifyCmd  struct{ configFlag }
	rebuildCmd struct {
		configFlag
		DryRun bool `help:"Only report what would differ; paynorm may be running."`
		Events bool `help:"Rebuild the event stream too: everything is published again, and the consumers of subscribers are deleted."`
	}
	eraseCmd struct {
		configFlag
		Payment string `help:"The payment, for example payments/p…" required:"" placeholder:"NAME"`
	}
)

// errNotWhole makes verify and rebuild --dry-run end with exit code 1.
var errNotWhole = errors.New("the stores differ from what the ledger says")

func (f configFlag) options(e *environment) (serve.Options, error) {
	cfg, err := config.Load(f.Config)
	return serve.Options{Config: cfg, ConfigFile: f.Config, Getenv: e.getenv, Logger: e.logger}, err
}

// Run copies the ledger.
func (c *backupCmd) Run(e *environment) (err error) {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.To, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(c.To)) // half a backup is none
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := serve.Backup(e.ctx, o, out); err != nil {
		return err
	}
	if err := errors.Join(out.Flush(), f.Sync(), syncDir(filepath.Dir(c.To))); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s, err := serve.ReadBackup(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s holds commits %d to %d (%d bytes) and %d wrapped keys; it was read back and is whole\n", c.To, s.First, s.Last, s.Bytes, s.Keys)
	return nil
}

// syncDir makes the name of a new file durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Run fills an empty data_dir or cluster with a backup.
func (c *restoreCmd) Run(e *environment) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	f, err := os.Open(c.From)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	if _, err := in.Peek(1); err != nil && !errors.Is(err, io.EOF) { // a folder, say: before data_dir is made
		return err
	}
	s, err := serve.Restore(e.ctx, o, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "restored commits %d to %d and %d wrapped keys; events and view are made from them when paynorm starts\n", s.First, s.Last, s.Keys)
	return nil
}

// Run checks everything that is stored.
func (c *verifyCmd) Run(e *environment) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	r, err := serve.Verify(e.ctx, o, teller(e))
	if err != nil {
		return err
	}
	return reportVerified(e.stdout, r)
}

func reportVerified(w io.Writer, r serve.VerifyReport) error {
	fmt.Fprintf(w, "ledger: commits %d to %d, chain whole\n", r.FirstCommit, r.LastCommit)
	switch {
	case r.Trimmed:
		fmt.Fprintln(w, "events: not derived again, because the ledger was trimmed")
	default:
		ev := r.Events
		fmt.Fprintf(w, "events: %d derived again: %d missing, %d surplus, %d different; %d not published yet, %d trimmed\n", ev.Messages, ev.Missing, ev.Surplus, ev.Different, ev.Pending, ev.Trimmed)
		for _, d := range ev.Differences {
			at := d.Position
			fmt.Fprintf(w, "  %s (cursor %d, from commit %d, delivery %d, item %d): %s\n", d.Name, d.Cursor, at.GetSequence(), at.GetDelivery(), at.GetItem(), d.What)
		}
	}
	fmt.Fprintf(w, "view: %d events differ\n", r.ViewDiffers)
	if !r.Whole() {
		return errNotWhole
	}
	return nil
}

// Run makes view and, when asked to, events anew.
func (c *rebuildCmd) Run(e *environment) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	if c.DryRun {
		r, err := serve.Verify(e.ctx, o, teller(e))
		if err != nil {
			return err
		}
		return reportVerified(e.stdout, r)
	}
	if err := serve.Rebuild(e.ctx, o, c.Events); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "rebuilt")
	return nil
}

// Run forgets the keys of a payment's deliveries.
func (c *eraseCmd) Run(e *environment) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	n, err := serve.Erase(e.ctx, o, c.Payment)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "the content of %d deliveries of %s can no longer be read; its events stay. Backups made before still hold the keys: let them expire\n", n, c.Payment)
	return nil
}

// teller says every few seconds how far a command is.
func teller(e *environment) func(serve.Progress) {
	start := time.Now()
	next := 2 * time.Second
	return func(p serve.Progress) {
		since := time.Since(start)
		if since < next || p.Done == 0 {
			return
		}
		next = since + 2*time.Second
		rate := float64(p.Done) / since.Seconds()
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(e.stdout, "%s: %.0f %%, %.0f/s, %s left\n", p.What, 100*float64(p.Done)/float64(p.Total), rate, left)
	}
}
