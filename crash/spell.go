package main

import (
	"context"
	"fmt"
	"time"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/site"
)

const (
	// noticedWithin bounds how long a full disk may go unnoticed by /readyz. The
	// first write that fails is not answered by the embedded NATS, so it takes as
	// long as a commit may take.
	noticedWithin = 15 * time.Second
	// relievedWithin bounds how long it may take until a webhook is acknowledged
	// when the disk is well again.
	relievedWithin = 30 * time.Second
)

// fullDisk returns how the kernel and SQLite say it, and so /readyz.
func fullDisk() []string { return []string{"no space left", "disk is full"} }

// spell lets the disk be full or slow for a while, and sees that p bears it.
func (t *trial) spell(ctx context.Context, p *site.Process, w weakling, s spell) (*site.Process, error) {
	if err := t.ready(ctx, p); err != nil {
		return p, err
	}
	sleep(ctx, s.after)
	acknowledged, broken := t.fleet.Acknowledged(), t.fleet.Broken()
	t.report.Spells++
	var err error
	if t.How == full {
		err = t.fill(ctx, p, w, s)
	} else {
		w.disk.Slow(s.delay)
		sleep(ctx, s.lasts)
		if s.delay < stall {
			err = t.until(ctx, p, relievedWithin, "no webhook is acknowledged on a slow disk",
				func() bool { return t.fleet.Acknowledged() > acknowledged })
		}
	}
	if n := t.fleet.Broken() - broken; err == nil && n > 0 && ctx.Err() == nil {
		err = bears("%d requests had no answer", n)
	}
	if err != nil {
		return p, err
	}
	after := onSlowDisk
	if t.How == full {
		after = onFullDisk
	}
	if s.crash {
		p.Kill()
	}
	w.disk.Free()
	w.disk.Slow(0)
	if s.crash {
		return t.restart(p, after)
	}
	acknowledged, began := t.fleet.Acknowledged(), time.Now()
	err = t.until(ctx, p, relievedWithin, "no webhook is acknowledged although the disk is well again",
		func() bool { return t.fleet.Acknowledged() > acknowledged })
	t.report.Relief = append(t.report.Relief, time.Since(began))
	return p, err
}

// fill fills the disk and waits until p has noticed and says so.
func (t *trial) fill(ctx context.Context, p *site.Process, w weakling, s spell) error {
	before := w.disk.Refused()
	defer func() { t.report.Writes += w.disk.Refused() - before }()
	w.disk.Fill(s.room)
	err := t.until(ctx, p, noticedWithin, "the disk did not get full", func() bool { return w.disk.Refused() > before })
	if err != nil {
		return err
	}
	err = t.until(ctx, p, noticedWithin, "/readyz does not say that the disk is full", func() bool { return t.site.Refuses(ctx, fullDisk()) })
	sleep(ctx, s.lasts)
	return err
}

// until waits until so, as long as p is there.
func (t *trial) until(ctx context.Context, p *site.Process, within time.Duration, otherwise string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !so() {
		select {
		case <-p.Ended():
			return bears("paynorm ended by itself: %s", t.site.Tail())
		case <-ctx.Done():
			return bears("%s within %v: %s", otherwise, within, t.site.Tail())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func bears(format string, args ...any) error {
	return history.Violations{{Rule: history.BearsTheDisk, Text: fmt.Sprintf(format, args...)}}
}
