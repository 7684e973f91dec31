// Package serve starts the parts of paynorm in order, and stops them in order:
// it refuses new work, finishes what was accepted, and closes NATS last.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/telemetry"
	"github.com/paynorm/paynorm/internal/tracing"
	"golang.org/x/sync/errgroup"
)

// stopWithin bounds how long paynorm waits for calls in work when it stops.
const stopWithin = 10 * time.Second

// Options says what to run.
type Options struct {
	Config     *configv1.Config // as read from ConfigFile
	ConfigFile string
	Reload     <-chan os.Signal // asks for a reload of the endpoints, for example SIGHUP
	Getenv     func(string) (string, bool)
	Logger     *slog.Logger
}

// Addresses is where a process listens, as host:port; empty where it does not.
type Addresses struct{ HTTP, GRPC, Metrics, NATS string }

// process is one running paynorm. Its parts are made by the methods of the
// other files and closed by closers in reverse order.
type process struct {
	Options
	metrics   *telemetry.Metrics
	tracer    *tracing.Tracer                               // nil: nothing is traced
	storage   func() error                                  // why the embedded NATS cannot write; nil: nothing is embedded
	dial      func(more ...nats.Option) (*nats.Conn, error) // connects to NATS
	stage     func(stream string)                           // has batches gathered in memory; nil: nothing is embedded
	closers   stack
	addresses Addresses
	group     *errgroup.Group // of what runs until the process stops
	groupCtx  context.Context
}

func newProcess(ctx context.Context, o Options) (*process, error) {
	p := &process{Options: o, metrics: telemetry.New(o.Logger, time.Now)}
	p.group, p.groupCtx = errgroup.WithContext(ctx)
	p.limitMemory()
	return p, p.trace(ctx)
}

// trace makes the tracer, when traces are wanted.
func (p *process) trace(ctx context.Context) (err error) {
	cfg := p.Config.GetTracing()
	if cfg == nil {
		return nil
	}
	ratio := 1.0
	if cfg.SampleRatio != nil {
		ratio = cfg.GetSampleRatio()
	}
	if p.tracer, err = tracing.New(ctx, tracing.Options{Endpoint: cfg.GetEndpoint(), Ratio: ratio}); err != nil {
		return fmt.Errorf("tracing.endpoint: %w", err)
	}
	p.closers.push(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := p.tracer.Close(ctx); err != nil {
			p.Logger.Warn("the last spans were not sent", "cause", err)
		}
	})
	return nil
}

// All runs gateway and normalizer in one process until ctx ends.
func All(ctx context.Context, o Options) error {
	p, err := newProcess(ctx, o)
	if err != nil {
		return err
	}
	defer p.closers.close()
	n, err := p.startNormalizer(ctx)
	if err != nil {
		return err
	}
	if err := p.listenGRPC(ctx, n); err != nil {
		return err
	}
	reads, err := p.inProcess(n)
	if err != nil {
		return err
	}
	if err := p.listenMetrics(ctx, "metrics.address", p.Config.GetMetrics().GetAddress()); err != nil {
		return err
	}
	if err := p.startGateway(ctx, n.rpc.Direct, reads, n.ready); err != nil {
		return err
	}
	p.sayWhoMayRead(n.gate)
	p.sayReady("endpoints", len(p.Config.GetEndpoints()))
	return p.run(ctx)
}

// Normalizer runs the gRPC service alone until ctx ends.
func Normalizer(ctx context.Context, o Options) error {
	p, err := newProcess(ctx, o)
	if err != nil {
		return err
	}
	defer p.closers.close()
	n, err := p.startNormalizer(ctx)
	if err != nil {
		return err
	}
	if err := p.listenGRPC(ctx, n); err != nil {
		return err
	}
	if err := p.listenMetrics(ctx, "metrics.address", p.Config.GetMetrics().GetAddress()); err != nil {
		return err
	}
	p.sayWhoMayRead(n.gate)
	p.sayReady("endpoints", len(p.Config.GetEndpoints()))
	return p.run(ctx)
}

// Gateway runs the HTTP edge alone until ctx ends.
func Gateway(ctx context.Context, o Options) error {
	p, err := newProcess(ctx, o)
	if err != nil {
		return err
	}
	defer p.closers.close()
	token, err := p.normalizerToken()
	if err != nil {
		return err
	}
	webhooks, err := p.dialNormalizer(token...)
	if err != nil {
		return err
	}
	reads, err := p.dialNormalizer()
	if err != nil {
		return err
	}
	if address := p.Config.GetGateway().GetMetricsAddress(); address != "" {
		if err := p.listenMetrics(ctx, "gateway.metrics_address", address); err != nil {
			return err
		}
	}
	ready := func(ctx context.Context) error { return answers(ctx, webhooks) }
	if err := p.startGateway(ctx, webhooks, reads, ready); err != nil {
		return err
	}
	p.runUntilClosed(func(ctx context.Context) error {
		p.sayWhenReady(ctx, ready)
		return nil
	})
	return p.run(ctx)
}

// askAgain is how often a gateway that cannot take webhooks yet asks whether it can,
// and how long it waits for the answer.
const askAgain = time.Second

// sayWhenReady says what a gateway waits for, once, and when it can take webhooks.
func (p *process) sayWhenReady(ctx context.Context, ready func(context.Context) error) {
	normalizer := []any{"normalizer", p.Config.GetGateway().GetNormalizerAddress()}
	ask := func() error {
		ctx, cancel := context.WithTimeout(ctx, askAgain)
		defer cancel()
		return ready(ctx)
	}
	cause := ask()
	if cause != nil && ctx.Err() == nil {
		p.say("paynorm waits for the normalizer", append(normalizer, "cause", cause)...)
	}
	for cause != nil {
		if wait(ctx, askAgain) != nil {
			return
		}
		cause = ask()
	}
	p.sayReady(normalizer...)
}

func (p *process) sayReady(more ...any) { p.say("paynorm is ready", more...) }

// say logs a message with where the process listens.
func (p *process) say(message string, more ...any) {
	var at []any
	for _, a := range []struct{ name, address string }{
		{"http", p.addresses.HTTP}, {"grpc", p.addresses.GRPC}, {"metrics", p.addresses.Metrics}, {"nats", p.addresses.NATS},
	} {
		if a.address != "" {
			at = append(at, a.name, a.address)
		}
	}
	p.Logger.Info(message, append(at, more...)...)
}

// run waits until the process is told to stop, or a part fails. The deferred closers
// then stop the parts.
func (p *process) run(ctx context.Context) error {
	p.limitGarbage(garbage)
	select {
	case <-ctx.Done():
		p.Logger.Info("paynorm is stopping")
	case <-p.groupCtx.Done():
		p.Logger.Error("paynorm is stopping, because a part has failed", "cause", context.Cause(p.groupCtx))
	}
	p.closers.close()
	return p.group.Wait()
}

func listen(ctx context.Context, field, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return l, nil
}
