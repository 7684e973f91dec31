// Command crash proves that paynorm keeps its promise under crashes: what was
// acknowledged is stored, and each fact gives one event. It runs the real
// binary, sends webhooks of all providers to it, kills it or cuts its power
// again and again, and checks the history in the end. See docs/durability.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

func main() {
	seccomp.Child()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the exit code.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	o := options{Pause: 10 * time.Millisecond}
	flags.IntVar(&o.Cycles, "cycles", 20, "how many crashes")
	flags.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()), "of the schedule of crashes and of the payments; the same seed gives the same schedule")
	flags.StringVar(&o.How, "how", kill, "kill (kill -9), power (only what was synced survives), full or slow (the disk, for a while); all but kill on Linux only")
	flags.IntVar(&o.Senders, "senders", 4, "how many senders each provider has")
	flags.DurationVar(&o.Pause, "pause", o.Pause, "how long a sender waits at most before its next webhook")
	retention := flags.String("retention", half, "whether retention removes what is old all the time: on, off, or half, which is half of the crashes without and then half with it")
	dir := flags.String("dir", "", "a folder for data and logs, kept; default: a temporary one, kept when something is wrong")
	name := flags.String("fault", "", "plant a fault that should be found")
	all := flags.Bool("faults", false, "plant each known fault in turn; fail when one is not found")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !slices.Contains([]string{kill, power, full, slow}, o.How) {
		return fmt.Errorf("-how %s: want %s, %s, %s or %s", o.How, kill, power, full, slow)
	}
	if !slices.Contains([]string{on, off, half}, *retention) {
		return fmt.Errorf("-retention %s: want %s, %s or %s", *retention, on, off, half)
	}
	var err error
	if o.Fault, err = fault.Find(*name); err != nil {
		return err
	}
	return inFolder(*dir, func(dir string) error {
		o.Dir = dir
		if *all {
			return findFaults(ctx, o, stdout)
		}
		for _, o := range rotation(o, *retention) {
			if err := os.MkdirAll(o.Dir, 0o700); err != nil {
				return err
			}
			r, err := crash(ctx, o)
			if err := errors.Join(r.print(stdout), err); err != nil {
				return err
			}
		}
		return nil
	})
}

// inFolder calls work with a folder, which is removed when it was made here and
// nothing is wrong.
func inFolder(dir string, work func(dir string) error) error {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		return work(dir)
	}
	dir, err := os.MkdirTemp("", "paynorm-crash")
	if err != nil {
		return err
	}
	if err := work(dir); err != nil {
		return fmt.Errorf("%w\n(data and logs are in %s)", err, dir)
	}
	return os.RemoveAll(dir)
}

// triesPerFault bounds how many runs a fault may need. Some show only when a crash
// hits the right millisecond.
const triesPerFault = 10

// findFaults checks the checker: each fault must be found by a rule that it breaks.
func findFaults(ctx context.Context, o options, stdout io.Writer) error {
	for _, f := range fault.All() {
		tries, found, err := findFault(ctx, o, f)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "found %s (%s) in run %d: %v\n", f.Name, f.Title, tries, found); err != nil {
			return err
		}
	}
	return nil
}

func findFault(ctx context.Context, o options, f fault.Fault) (tries int, found *history.Violation, err error) {
	dir := o.Dir
	o.Fault, o.How, o.Retention = f, kill, f.Retention
	if f.Power {
		o.How = power
	}
	for tries = 1; tries <= triesPerFault; tries++ {
		o.Dir = filepath.Join(dir, fmt.Sprintf("%s-%d", f.Name, tries))
		if err := os.Mkdir(o.Dir, 0o700); err != nil {
			return tries, nil, err
		}
		_, err = crash(ctx, o)
		if found = f.Found(err); found != nil {
			return tries, found, nil
		}
		if err != nil {
			break // something else is wrong
		}
		o.Seed++
	}
	return tries, nil, errors.Join(fmt.Errorf("fault %s was not found; the last seed was %d", f.Name, o.Seed), err)
}
