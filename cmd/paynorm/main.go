// Command paynorm takes webhooks of payment providers and emits one canonical
// event for each fact. See `paynorm --help`.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/serve"
)

// program is the command line.
type program struct {
	Serve      serveCmd      `cmd:"" help:"Run gateway and normalizer in one process, with NATS embedded unless nats.url is set."`
	Gateway    gatewayCmd    `cmd:"" help:"Run the HTTP edge alone; it dials a normalizer."`
	Normalizer normalizerCmd `cmd:"" help:"Run the gRPC service alone."`
	Send       sendCmd       `cmd:"" help:"Play a provider: send signed sample webhooks to an endpoint."`
	Backup     backupCmd     `cmd:"" help:"Copy the ledger to a file, also while paynorm is running."`
	Restore    restoreCmd    `cmd:"" help:"Fill an empty data folder or cluster with a backup."`
	Verify     verifyCmd     `cmd:"" help:"Check the whole store: ledger, events and view; also while paynorm is running."`
	Rebuild    rebuildCmd    `cmd:"" help:"Make the view, and with --events the event stream, anew from the ledger."`
	Erase      eraseCmd      `cmd:"" help:"Make the raw deliveries of a payment unreadable for good; needs encryption."`
	Explain    explainCmd    `cmd:"" help:"Tell the story of a payment: each delivery, what it changed and why."`
	Nats       natsCmd       `cmd:"" help:"What has to do with an external NATS cluster."`

	LogLevel slog.Level `help:"What is logged: debug, info, warn or error. Default: info." default:"info" placeholder:"LEVEL"`
}

// configFlag is the flag of the commands that read the configuration.
type configFlag struct {
	Config string `help:"The configuration file (YAML). Default: paynorm.yaml." default:"paynorm.yaml" type:"path" placeholder:"FILE"`
}

type (
	serveCmd      struct{ configFlag }
	gatewayCmd    struct{ configFlag }
	normalizerCmd struct{ configFlag }
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "paynorm:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the exit code.
func run(ctx context.Context, args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) error {
	var p program
	exited := false
	parser, err := kong.New(&p, kong.Name("paynorm"),
		kong.Description("Takes webhooks of payment providers, makes them durable before it answers, and emits one canonical event per fact on NATS JetStream."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { exited = true }), kong.UsageOnError())
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if exited { // --help
		return nil
	}
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: p.LogLevel}))
	return command.Run(&environment{ctx: ctx, getenv: getenv, logger: logger, stdout: stdout})
}

// environment is what commands take from the outside.
type environment struct {
	ctx    context.Context
	getenv func(string) (string, bool)
	logger *slog.Logger
	stdout io.Writer
}

// Run runs gateway and normalizer in one process.
func (c *serveCmd) Run(e *environment) error { return c.start(e, serve.All) }

// Run runs the HTTP edge alone.
func (c *gatewayCmd) Run(e *environment) error { return c.start(e, serve.Gateway) }

// Run runs the gRPC service alone.
func (c *normalizerCmd) Run(e *environment) error { return c.start(e, serve.Normalizer) }

func (f configFlag) start(e *environment, what func(context.Context, serve.Options) error) error {
	cfg, err := config.Load(f.Config)
	if err != nil {
		return err
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	return what(e.ctx, serve.Options{
		Config: cfg, ConfigFile: f.Config, Reload: reload, Getenv: e.getenv, Logger: e.logger,
	})
}
