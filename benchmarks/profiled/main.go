// Command profiled is `paynorm serve` with a CPU profile of its whole life. The
// benchmarks run it in paynorm's place when -cpuprofile is given; paynorm itself
// carries no profiler.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/serve"
)

func main() {
	file := flag.String("config", "", "configuration of paynorm")
	cpu := flag.String("cpuprofile", "", "file for the CPU profile")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *file, *cpu); err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, cpu string) (err error) {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	out, err := os.Create(cpu)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return serve.All(ctx, serve.Options{
		Config: cfg, ConfigFile: file, Getenv: os.LookupEnv,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}
