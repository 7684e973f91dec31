package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
	"github.com/paynorm/paynorm/client"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

const (
	readRate = 2000 // deliveries per second while paynorm is asked, unless -rate says otherwise
	askPause = time.Millisecond
	// askedPayments is how many payments are asked for in turn, any of those that are stored.
	askedPayments = 500
	pageSize      = 50
	pageFilter    = `provider = "clip" AND payment_status = "PAID"`
)

// reads is a paynorm with so many events that one client asks while webhooks come in.
type reads struct {
	Events  int     `json:"events"` // stored before
	Round   int     `json:"round"`
	Asks    int     `json:"asks"`                 // of each kind
	Nothing latency `json:"empty_call_ms"`        // a health check: what a call costs here
	Payment latency `json:"get_payment_ms"`       // one of all
	Page    latency `json:"list_events_ms"`       // the newest 50 that a filter selects
	Trial   *trial  `json:"webhooks"`             // meanwhile
	Filled  float64 `json:"filled_at_per_second"` // how fast the events before were acknowledged
}

// runReads measures reads for each size in turn, in each round.
func (b *bench) runReads(ctx context.Context, r *results) error {
	for round := range b.plan.Rounds {
		for _, events := range b.plan.Reads {
			m := &reads{Events: events, Round: round + 1}
			if err := b.measureReads(ctx, m); err != nil {
				return fmt.Errorf("reads with %d events, round %d: %w", events, m.Round, err)
			}
			r.Reads = append(r.Reads, m)
			b.progress.Info("measured", "events", events, "round", m.Round, "asks", m.Asks,
				"payment_p99_ms", m.Payment.P99, "page_p99_ms", m.Page.P99)
		}
	}
	return nil
}

func (b *bench) measureReads(ctx context.Context, m *reads) (err error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the folder above goes at the end
	s, err := b.system(paynormName).start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	stored, err := b.fill(ctx, m, s)
	if err != nil {
		return err
	}
	conn, err := client.DialGRPC(s.grpc, client.GRPCOptions{})
	if err != nil {
		return err
	}
	defer conn.Close() // nothing is under way any more
	a := &asker{
		health: healthv1.NewHealthClient(conn), events: normalizerv1.NewEventServiceClient(conn),
		payments: normalizerv1.NewPaymentServiceClient(conn),
	}
	if err := a.choose(ctx, stored, uint64(m.Events)); err != nil {
		return err
	}
	source, err := b.deliveries(ctx, s)
	if err != nil {
		return err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	asked := make(chan error, 1)
	go func() { asked <- a.ask(asking) }()
	m.Trial = &trial{System: paynormName, Round: m.Round, Connections: subscriberConnections, Rate: b.plan.Rate}
	_, err = b.load(ctx, m.Trial, s, source, load.Clock{Start: time.Now().Add(10 * time.Millisecond), Rate: b.plan.Rate})
	stop()
	if err = errors.Join(err, <-asked); err != nil {
		return err
	}
	m.Asks = a.asks
	m.Nothing, m.Payment, m.Page = summarize(&a.nothing), summarize(&a.payment), summarize(&a.page)
	if m.Asks == 0 || len(m.Trial.Refusals) > 0 || m.Trial.Unsent > 0 {
		return fmt.Errorf("%d asks, refused by status: %v, unsent: %d", m.Asks, m.Trial.Refusals, m.Trial.Unsent)
	}
	return nil
}

// fill has m's number of events stored and projected.
func (b *bench) fill(ctx context.Context, m *reads, s *server) (*webhook.Source, error) {
	all, err := b.deliveries(ctx, s)
	if err != nil {
		return nil, err
	}
	source, ok := all.(*webhook.Source)
	if !ok {
		return nil, errors.New("reads are measured with Clip's webhooks only")
	}
	dial, err := load.Loopback(s.http)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	result, err := load.Run(ctx, load.Options{
		Dial: dial, Request: source.AppendRequest, Connections: subscriberConnections,
		Clock: load.Clock{Start: begun}, Duration: maxDuration, Limit: uint64(m.Events),
	})
	if err != nil {
		return nil, err
	}
	if result.Acknowledged != m.Events {
		return nil, fmt.Errorf("%d of %d deliveries were acknowledged; refused by status: %v", result.Acknowledged, m.Events, result.Refusals)
	}
	m.Filled = float64(m.Events) / time.Since(begun).Seconds()
	return source, b.system(paynormName).drain(ctx, s)
}

// asker asks one thing after the other.
type asker struct {
	health   healthv1.HealthClient
	events   normalizerv1.EventServiceClient
	payments normalizerv1.PaymentServiceClient

	names                  []string // of payments
	nothing, payment, page histogram.Histogram
	asks                   int
}

// choose picks the payments that are asked for.
func (a *asker) choose(ctx context.Context, stored *webhook.Source, events uint64) error {
	random := rand.New(rand.NewPCG(events, events))
	for range askedPayments {
		filter := fmt.Sprintf("provider_payment_id = %q", stored.Payment(random.Uint64N(events)))
		page, err := a.events.ListEvents(ctx, &normalizerv1.ListEventsRequest{Filter: filter, PageSize: 1})
		if err != nil {
			return err
		}
		if len(page.GetEvents()) == 0 {
			return fmt.Errorf("there is no event with %s", filter)
		}
		a.names = append(a.names, page.GetEvents()[0].GetPayment())
	}
	return nil
}

// ask asks until ctx ends, and counts what was answered by then.
func (a *asker) ask(ctx context.Context) error {
	kinds := []struct {
		took *histogram.Histogram
		call func() error
	}{
		{&a.nothing, func() error {
			_, err := a.health.Check(ctx, &healthv1.HealthCheckRequest{})
			return err
		}},
		{&a.payment, func() error {
			_, err := a.payments.GetPayment(ctx, &normalizerv1.GetPaymentRequest{Name: a.names[a.asks%len(a.names)]})
			return err
		}},
		{&a.page, func() error {
			_, err := a.events.ListEvents(ctx, &normalizerv1.ListEventsRequest{Filter: pageFilter, PageSize: pageSize})
			return err
		}},
	}
	for ; ; a.asks++ {
		for _, k := range kinds {
			begun := time.Now()
			err := k.call()
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the webhooks have ended, and so does this
			}
			if err != nil {
				return err
			}
			k.took.Add(time.Since(begun))
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(askPause):
			}
		}
	}
}
