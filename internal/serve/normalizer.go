package serve

import (
	"context"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/rpc"
)

// normalizer is the normalizer's parts that the rest of the process needs.
type normalizer struct {
	rpc        *rpc.Server
	ledger     *ledger.Ledger
	gate       *access.Gate
	endStreams func() // ends all watches
}

// ready says why deliveries cannot be taken.
func (n *normalizer) ready(context.Context) error { return n.ledger.Health() }

func (p *process) startNormalizer(ctx context.Context) (*normalizer, error) {
	adapters := providers.All()
	changes := endpoint.NewWatcher(p.ConfigFile) // first, so that it misses no change
	gate := p.newGate()
	load := func() (*configv1.Config, *endpoint.Set, error) {
		cfg, set, err := endpoint.Load(p.ConfigFile, adapters, p.Getenv)
		if err != nil {
			return nil, nil, err
		}
		if err := p.setPolicy(gate, cfg); err != nil {
			return nil, nil, err
		}
		p.metrics.Configured(set)
		return cfg, set, nil
	}
	_, set, err := load()
	if err != nil {
		return nil, err
	}
	registry := endpoint.NewRegistry(set)
	state := newHealth()
	s, err := p.openStores(ctx, state.set)
	if err != nil {
		return nil, err
	}
	if err := natsd.MakeConsumers(ctx, s.conn, declared(p.Config)); err != nil {
		return nil, err
	}
	if err := s.projector.Recover(ctx); err != nil {
		return nil, err
	}
	p.runUntilClosed(s.projector.Run)
	p.closers.push(s.ledger.Close)
	p.measure(s)
	p.watchConfiguration(changes, registry, load)
	p.keepUp(s)
	if err := p.listenAdmin(ctx, s); err != nil {
		return nil, err
	}
	server, err := rpc.New(rpc.Services{
		Normalizer: &rpc.Normalizer{
			Ingester: &ingest.Service{Endpoints: registry, Ledger: s.ledger, Observer: p.metrics, Tracer: p.tracer, DeliveryName: deliveryName},
			Tokens:   &ingest.Tokens{Endpoints: registry, Now: time.Now},
			Now:      time.Now,

			Normalize: s.normalize, States: s.view, Ledger: s.ledger,
		},
		Events:     rpc.NewEvents(s.view, s.hub, s.events),
		Payments:   rpc.NewPayments(s.view, s.ledger, s.normalize),
		Deliveries: rpc.NewDeliveries(s.view, s.ledger, s.projector, s.normalize, registry),
		Providers:  rpc.NewProviders(adapters, p.metrics.Drift),
		Endpoints:  rpc.NewEndpoints(p.metrics.Activity, time.Now),

		Access: gate,
	}, p.Logger)
	if err != nil {
		return nil, err
	}
	state.tell(server.Health)
	return &normalizer{rpc: server, gate: gate, ledger: s.ledger, endStreams: s.hub.Close}, nil
}

func deliveryName(at ledger.Place) string {
	return normalize.Place{Sequence: at.Sequence, Index: at.Index}.Delivery()
}

// runUntilClosed runs work until the closers get to it, or it fails, which stops the process.
func (p *process) runUntilClosed(work func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.groupCtx))
	done := make(chan struct{})
	p.group.Go(func() error {
		defer close(done)
		return work(ctx)
	})
	p.closers.push(func() {
		cancel()
		<-done
	})
}

// watchConfiguration reloads endpoints and secrets when asked to, or when their files change.
func (p *process) watchConfiguration(w *endpoint.Watcher, registry *endpoint.Registry, load func() (*configv1.Config, *endpoint.Set, error)) {
	w.Started, w.Registry, w.Load, w.Signal, w.Logger = p.Config, registry, load, p.Reload, p.Logger
	p.runUntilClosed(func(ctx context.Context) error {
		w.Run(ctx)
		return nil
	})
}
