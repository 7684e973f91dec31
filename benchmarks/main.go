// Command benchmarks measures paynorm against a baseline: throughput, latency,
// CPU and memory of the whole path from an HTTP request to an event on disk. It
// builds and starts both servers on this machine, loads nothing else, and checks
// after each trial that nothing that was acknowledged is missing or doubled.
//
//	go run ./benchmarks            three rounds at 1, 16, 64 and 256 connections
//	go run ./benchmarks -quick     a look, in about half a minute
//
// README.md says what is measured and how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := workFolder(ctx, p.dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // what cannot be removed is below .cache
	b := &bench{plan: p, dir: dir, progress: slog.New(slog.NewTextHandler(stderr, nil))}
	b.progress.Info("building")
	if err := build(ctx, dir, p.packages()...); err != nil {
		return err
	}
	results, failed := b.run(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case results == nil:
		return failed
	}
	if err := results.table(stdout); err != nil {
		return err
	}
	if p.json != "" {
		if err := results.write(p.json); err != nil {
			return err
		}
	}
	return failed
}

// workFolder makes a folder for programs and data. It is not made in the
// system's temporary folder unless that is asked for: there a sync may cost nothing.
func workFolder(ctx context.Context, parent string) (string, error) {
	if parent == "" {
		root, err := moduleRoot(ctx)
		if err != nil {
			return "", err
		}
		parent = filepath.Join(root, ".cache")
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "bench-")
}
