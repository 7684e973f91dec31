// Command flood offers more to paynorm than it can take, and tells how much
// memory it used at most. It runs the real binary, anew for each kind of load.
// See docs/durability.md.
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
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/paynorm/paynorm/crash/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the exit code.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("flood", flag.ContinueOnError)
	lasts := flags.Duration("for", 20*time.Second, "how long each load lasts")
	only := flags.String("load", "", "offer this one only")
	program := flags.String("paynorm", "", "the binary; default: it is built")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "paynorm-flood")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *program == "" {
		root, err := fault.Root(ctx)
		if err != nil {
			return err
		}
		*program = filepath.Join(dir, "paynorm")
		if err := fault.Build(ctx, root, *program); err != nil {
			return err
		}
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "load\tconnections\tacknowledged\trefused (503)\tno answer\tpeak RSS")
	for _, l := range loads() {
		if *only != "" && *only != l.name {
			continue
		}
		l.lasts = *lasts
		f, err := l.offer(ctx, filepath.Join(dir, l.name), *program)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%.0f MiB\n", l.name, l.connections, f.acknowledged.Load(), f.refused.Load(), f.broken.Load(), float64(f.peak)/(1<<20))
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}
