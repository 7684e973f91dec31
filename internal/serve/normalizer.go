package serve

import (
	"context"
	"path/filepath"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/rpc"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

// normalizer is the normalizer's parts that the rest of the process needs.
type normalizer struct {
	rpc        *rpc.Server
	ledger     *ledger.Ledger
	endStreams func() // ends all watches
}

// ready says why deliveries cannot be taken.
func (n *normalizer) ready(context.Context) error { return n.ledger.Health() }

func (p *process) startNormalizer(ctx context.Context) (*normalizer, error) {
	adapters := providers.All()
	changes := endpoint.NewWatcher(p.ConfigFile) // first, so that it misses no change
	load := func() (*endpoint.Set, error) {
		_, set, err := endpoint.Load(p.ConfigFile, adapters, p.Getenv)
		if err == nil {
			p.metrics.Configured(set)
		}
		return set, err
	}
	set, err := load()
	if err != nil {
		return nil, err
	}
	registry := endpoint.NewRegistry(set)
	unlock, err := lock(p.Config.GetDataDir())
	if err != nil {
		return nil, err
	}
	p.closers.push(unlock)
	nc, ack, err := p.connectNATS(ctx)
	if err != nil {
		return nil, err
	}
	replicas := int(p.Config.GetNats().GetReplicas())
	state := newHealth()
	book, err := ledger.Open(ctx, ledger.Options{
		Conn: nc, Replicas: replicas, AckTimeout: ack, Now: time.Now, Health: state.set, Logger: p.Logger,
	})
	if err != nil {
		return nil, err
	}
	events, err := eventstream.Open(ctx, eventstream.Options{
		Conn: nc, Replicas: replicas, AckTimeout: ack, JSON: p.Config.GetEvents().GetEncoding() == "json", Logger: p.Logger,
	})
	if err != nil {
		return nil, err
	}
	queries, err := view.Open(ctx, filepath.Join(p.Config.GetDataDir(), "view.db"))
	if err != nil {
		return nil, err
	}
	p.closers.push(func() {
		if err := queries.Close(); err != nil {
			p.Logger.Error("close the view", "cause", err)
		}
	})
	hub := watch.NewHub(queries)
	project := projector.New(projector.Options{
		Ledger: book, Normalizer: normalize.New(adapters), Events: events, View: queries,
		Observer: p.metrics, Watchers: hub, Logger: p.Logger,
	})
	if err := project.Recover(ctx); err != nil {
		return nil, err
	}
	p.runUntilClosed(project.Run)
	p.closers.push(book.Close)
	p.metrics.Gauge("paynorm_projection_lag_commits", "Commits of the ledger that are not projected yet.",
		func() float64 { return float64(book.Last() - project.Done()) })
	p.metrics.Gauge("paynorm_ledger_waiting_deliveries", "Deliveries that wait for a commit.",
		func() float64 { return float64(book.Waiting()) })
	p.watchConfiguration(changes, registry, load)
	server, err := rpc.New(rpc.Services{
		Normalizer: &rpc.Normalizer{
			Ingester: &ingest.Service{Endpoints: registry, Ledger: book, Observer: p.metrics, DeliveryName: deliveryName},
			Tokens:   &ingest.Tokens{Endpoints: registry, Now: time.Now},
			Now:      time.Now,
		},
		Events:    rpc.NewEvents(queries, hub),
		Payments:  rpc.NewPayments(queries),
		Providers: rpc.NewProviders(adapters, p.metrics.Drift),
	}, p.Logger)
	if err != nil {
		return nil, err
	}
	state.tell(server.Health)
	return &normalizer{rpc: server, ledger: book, endStreams: hub.Close}, nil
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
func (p *process) watchConfiguration(w *endpoint.Watcher, registry *endpoint.Registry, load func() (*endpoint.Set, error)) {
	w.Registry, w.Load, w.Signal, w.Logger = registry, load, p.Reload, p.Logger
	p.runUntilClosed(func(ctx context.Context) error {
		w.Run(ctx)
		return nil
	})
}
