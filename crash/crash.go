package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"time"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/sender"
	"github.com/paynorm/paynorm/crash/internal/site"
	"github.com/paynorm/paynorm/crash/internal/witness"
	"github.com/paynorm/paynorm/internal/natsd"
)

const (
	// warmUp is how long a process works before it is crashed while it reloads or
	// stops, and in the end.
	warmUp = 300 * time.Millisecond
	// settleWithin bounds how long projection and subscriber may take in the end.
	settleWithin = 5 * time.Minute
	// patience is how long the subscriber may be without news before it has missed something.
	patience = 20 * time.Second
)

// options says what to do to paynorm.
type options struct {
	Dir     string // for the program, its data and its log; empty
	How     string // kill, power, full or slow
	Cycles  int    // crashes
	Seed    uint64
	Senders int           // of each provider
	Pause   time.Duration // of a sender, at most
	Fault   fault.Fault   // to plant
	// Retention removes what is old all the time.
	Retention bool
}

// trial is a run of all cycles.
type trial struct {
	options
	site    *site.Site
	machine machine
	fleet   *sender.Fleet
	report  *report
	// follower reads what retention removes; nil without retention.
	follower *witness.Follower
}

// crash runs the cycles and checks the history. What is wrong with it are
// history.Violations.
func crash(ctx context.Context, o options) (*report, error) {
	began := time.Now()
	t := &trial{options: o, report: newReport(o)}
	err := t.prepare(ctx)
	if err == nil {
		err = t.run(ctx)
	}
	t.report.Took = time.Since(began)
	return t.report, err
}

func (t *trial) prepare(ctx context.Context) error {
	root, err := fault.Root(ctx)
	if err != nil {
		return err
	}
	keys, err := site.NewKeys()
	if err != nil {
		return err
	}
	if t.site, err = site.New(t.Dir, "", keys, t.settings()); err != nil {
		return err
	}
	program := filepath.Join(t.site.Dir, "paynorm")
	if err := fault.Build(ctx, root, program, t.changes()...); err != nil {
		return err
	}
	t.machine, err = newMachine(t.options, t.site, program, t.report.Cut.Add)
	return err
}

func (t *trial) run(ctx context.Context) error {
	p, err := t.machine.start()
	if err != nil {
		return err
	}
	defer func() { p.Kill() }() // of whichever is running then
	if _, err := t.site.Ready(ctx, p); err != nil {
		return err
	}
	subscriber, err := witness.Subscribe(ctx, t.site.NATS)
	if err != nil {
		return err
	}
	if t.follower, err = t.follow(ctx); err != nil {
		return err
	}
	defer func() { _ = t.follower.Close(ctx) }() // when it was not asked for what it has read
	t.fleet, err = sender.Start(ctx, sender.Options{
		Site: t.site, Seed: t.Seed, PerProvider: t.Senders, MaxPause: t.Pause, Timeout: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	began := time.Now()
	for _, cycle := range t.cycles() {
		if p, err = cycle(ctx, p); err != nil {
			break
		}
	}
	if err == nil {
		err = t.ready(ctx, p)
		sleep(ctx, warmUp) // what was sent in vain until now is taken
	}
	t.report.Load = time.Since(began)
	var h history.History
	var stopped error
	if h.Sent, t.report.Sent, stopped = t.fleet.Stop(); err != nil || stopped != nil {
		p.Kill()
		subscriber.Close(ctx, 1, 0, 0)
		return errors.Join(t.salvage(ctx, h, err), stopped)
	}
	stuck, err := t.collect(ctx, &h, subscriber)
	if err != nil {
		return err
	}
	var wrong history.Violations
	t.report.History, wrong = history.Check(h)
	if n := t.report.History.Missed; n > 0 && len(wrong) == 0 {
		err = fmt.Errorf("nothing can be said: the follower did not keep up, %d commits were removed before it had read them", n)
	}
	return errors.Join(append(stuck, wrong...).Err(), err, p.Stop())
}

// salvage looks into the store of a paynorm that has not come back, to tell
// what is lost.
func (t *trial) salvage(ctx context.Context, h history.History, cause error) error {
	var dead history.Violations
	if !errors.As(cause, &dead) {
		return cause
	}
	server, err := natsd.Start(ctx, natsd.Options{
		StoreDir: filepath.Join(t.site.Data, "nats"), Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return errors.Join(cause, err)
	}
	defer server.Shutdown()
	nc, js, err := witness.Connect("nats://" + server.Address())
	if err != nil {
		return errors.Join(cause, err)
	}
	defer nc.Close()
	if err := t.follower.Close(ctx); err != nil {
		return errors.Join(cause, err)
	}
	h.Ledger, _, _, err = witness.Ledger(ctx, js, t.follower)
	if errors.Is(err, witness.ErrNoStream) {
		err = nil // then nothing is left
	}
	var lost history.Violations
	t.report.History, lost = history.CheckLedger(h)
	return errors.Join(append(dead, lost...), err)
}

// cycles returns what to do to paynorm, one after the other. Each is given the
// process and returns the one that runs then.
func (t *trial) cycles() (all []func(context.Context, *site.Process) (*site.Process, error)) {
	if w, ok := t.machine.(weakling); ok {
		for _, s := range spells(t.Seed, t.Cycles, t.How) {
			all = append(all, func(ctx context.Context, p *site.Process) (*site.Process, error) { return t.spell(ctx, p, w, s) })
		}
		return all
	}
	for _, m := range schedule(t.Seed, t.Cycles) {
		all = append(all, func(ctx context.Context, p *site.Process) (*site.Process, error) { return t.cycle(ctx, p, m) })
	}
	return all
}

// cycle crashes p at the moment m and starts paynorm again.
func (t *trial) cycle(ctx context.Context, p *site.Process, m moment) (*site.Process, error) {
	if m.phase != starting {
		if err := t.ready(ctx, p); err != nil {
			return p, err
		}
	}
	switch m.phase {
	case reloading:
		sleep(ctx, warmUp)
		p.Signal(syscall.SIGHUP)
	case shuttingOff:
		sleep(ctx, warmUp)
		p.Signal(syscall.SIGTERM)
	}
	sleep(ctx, m.after)
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	if err := t.machine.crash(p); err != nil {
		return p, err
	}
	return t.restart(p, m.phase)
}

// restart starts paynorm again after a crash of p.
func (t *trial) restart(p *site.Process, after phase) (*site.Process, error) {
	t.report.Crashes[after]++
	next, err := t.machine.start()
	if err != nil {
		return p, err
	}
	return next, nil
}

// ready waits until p is and notes how long that took. Not to come back is a
// broken promise, too.
func (t *trial) ready(ctx context.Context, p *site.Process) error {
	took, err := t.site.Ready(ctx, p)
	if err != nil && ctx.Err() == nil {
		return history.Violations{{Rule: history.StartsAgain, Text: err.Error()}}
	}
	t.report.Recovery = append(t.report.Recovery, took)
	return err
}

// collect waits until the work is done and gathers what is stored. stuck says that
// the work has not been done.
func (t *trial) collect(ctx context.Context, h *history.History, subscriber *witness.Subscriber) (stuck history.Violations, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	closed := false
	defer func() {
		if !closed {
			subscriber.Close(ctx, 1, 0, 0)
		}
	}()
	if err := witness.Projected(ctx, t.site.Metrics, patience); err != nil {
		stuck = history.Violations{{Rule: history.ProjectionEnds, Text: err.Error()}}
	}
	if err := t.trimmed(ctx); err != nil {
		return nil, err
	}
	left, err := gather(ctx, h, t.site, t.follower)
	if err != nil {
		return nil, err
	}
	closed = true
	h.Seen = subscriber.Close(ctx, left.Events.First, left.Events.Last, patience)
	t.bound(h, left)
	return stuck, nil
}

// gather reads what s has stored, and tells of it. before has read it until now; nil where nothing is removed. It returns what is left of the streams.
func gather(ctx context.Context, h *history.History, s *site.Site, before *witness.Follower) (left history.Retention, err error) {
	nc, js, err := witness.Connect(s.NATS)
	if err != nil {
		return left, err
	}
	defer nc.Close()
	if h.Ledger, left.Ledger, left.Missed, err = witness.Ledger(ctx, js, before); err != nil {
		return left, fmt.Errorf("read the ledger: %w", err)
	}
	if h.Stream, left.Events, err = witness.Events(ctx, js, before); err != nil {
		return left, fmt.Errorf("read the events: %w", err)
	}
	if h.View, err = witness.View(ctx, s.HTTP); err != nil {
		return left, fmt.Errorf("read the view: %w", err)
	}
	if h.Told, h.Gone, err = witness.Deliveries(ctx, s.HTTP); err != nil {
		return left, fmt.Errorf("read the deliveries: %w", err)
	}
	return left, nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
