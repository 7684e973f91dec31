package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"

	"github.com/paynorm/paynorm/benchmarks/internal/mix"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
)

// bench runs a plan. Everything it starts and writes is below dir.
type bench struct {
	plan     plan
	dir      string
	progress *slog.Logger
	runs     atomic.Uint32 // so far; numbers the IDs of the deliveries
}

func (b *bench) system(name string) system {
	switch program := filepath.Join(b.dir, baselineName); name {
	case baselineName:
		return baseline{program: program, sync: b.plan.Sync, broker: filepath.Join(b.dir, "nats-server")}
	case embeddedName:
		return baseline{program: program, sync: b.plan.Sync}
	}
	program := cmp.Or(b.plan.program, filepath.Join(b.dir, paynormName))
	if name == otherName {
		program = b.plan.Against
	}
	p := paynorm{command: []string{program, "serve", "--log-level", "warn"}, endpoints: b.plan.endpoints}
	if b.plan.cpuProfile != "" {
		p.command = []string{filepath.Join(b.dir, "profiled"), "--cpuprofile", b.plan.cpuProfile}
	}
	return p
}

// mixed is how many deliveries of all providers are made for a trial. To sign
// one of QI Tech takes over a millisecond.
const mixed = 25_000

// deliveries are fresh ones for a trial on s.
func (b *bench) deliveries(ctx context.Context, s *server) (deliveries, error) {
	run := b.runs.Add(1)
	to := webhook.Target{Host: s.http, Token: token, Merchants: b.plan.merchants()}
	switch {
	case b.plan.Providers == "all":
		return mix.New(ctx, filepath.Join(s.dir, configFile), mixed)
	case b.plan.Batch > 0:
		return webhook.NewBatches(run, to, b.plan.Batch), nil
	}
	return webhook.New(run, to, b.plan.Body), nil
}

// limit is how many deliveries source has; 0 is as many as are asked for.
func limit(source deliveries) uint64 {
	if m, ok := source.(*mix.Source); ok {
		return m.Len()
	}
	return 0
}

// run runs all trials, the systems in turn. It returns what was measured also
// when something failed; nil when nothing was.
func (b *bench) run(ctx context.Context) (*results, error) {
	r, err := newResults(b.plan, b.dir)
	if err != nil {
		return nil, err
	}
	if b.plan.Reads != nil {
		return r, b.runReads(ctx, r)
	}
	if b.plan.Against != "" {
		return r, b.runAgainst(ctx, r)
	}
	var failed []error
	for _, t := range b.trials() {
		if err := b.measure(ctx, t); err != nil {
			return nil, fmt.Errorf("%s, %d connections, round %d: %w", t.System, t.Connections, t.Round, err)
		}
		r.Trials = append(r.Trials, t)
		t.log(b.progress)
		if err := t.err(); err != nil {
			failed = append(failed, fmt.Errorf("%s, %d connections, round %d: %w", t.System, t.Connections, t.Round, err))
		}
	}
	r.summarize()
	return r, errors.Join(failed...)
}

// trials lists what is measured, in order: within a round the systems meet the
// same load one right after the other.
func (b *bench) trials() []*trial {
	var all []*trial
	for round := range b.plan.Rounds {
		for _, connections := range b.plan.Connections {
			for _, name := range b.plan.Systems {
				all = append(all, &trial{System: name, Round: round + 1, Connections: connections, Rate: b.plan.Rate})
			}
		}
	}
	if b.plan.SubscriberRate == 0 {
		return all
	}
	for round := range b.plan.Rounds {
		for _, name := range b.plan.Systems {
			all = append(all, &trial{
				System: name, Round: round + 1, Connections: subscriberConnections, Rate: b.plan.SubscriberRate, Subscribed: true,
			})
		}
	}
	return all
}

// log reports a trial while others still run.
func (t *trial) log(l *slog.Logger) {
	figures := []any{
		"system", t.System, "connections", t.Connections, "round", t.Round,
		"acked_per_second", int(t.Throughput), "p50_ms", t.HTTP.P50, "p99_ms", t.HTTP.P99,
	}
	if t.Events != nil {
		figures = append(figures, "event_p50_ms", t.Events.P50, "event_p99_ms", t.Events.P99)
	}
	l.Info("measured", figures...)
}
