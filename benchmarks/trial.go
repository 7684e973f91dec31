package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/procfs"
	"github.com/paynorm/paynorm/benchmarks/internal/verify"
)

// settleWithin bounds how long a system may go on working after the load, and
// how long the check may take, which is at least the length of a soak.
const settleWithin = 3 * time.Minute

// trial is one system under one load, and what was measured.
type trial struct {
	System      string  `json:"system"`
	Round       int     `json:"round"`
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate,omitempty"`
	Subscribed  bool    `json:"subscribed,omitempty"`

	Throughput float64        `json:"acknowledged_per_second"`
	Payments   *payments      `json:"payments,omitempty"` // of batches
	HTTP       latency        `json:"http_ms"`
	Events     *latency       `json:"http_to_subscriber_ms,omitempty"`
	Drain      float64        `json:"drain_seconds"`                          // from the end of the load until all was projected
	CPU        *float64       `json:"cpu_seconds_per_100000,omitempty"`       // until all was projected
	PeakRSS    *float64       `json:"peak_rss_mib,omitempty"`                 // of the server
	Others     *float64       `json:"cpus_of_others,omitempty"`               // CPUs that neither the server nor the load generator used
	Retries    int            `json:"retries"`                                // attempts
	Failures   map[string]int `json:"failed_attempts_by_cause,omitempty"`     // these were repeated
	Refusals   map[int]int    `json:"refused_deliveries_by_status,omitempty"` // these were not
	Unsent     int            `json:"unsent,omitempty"`                       // were due in an open loop and found no connection
	Stretches  []stretch      `json:"stretches,omitempty"`                    // of a soak
	Check      *verify.Report `json:"check"`

	together *meeting // with who is measured at the same time; nil: alone
}

// payments are those of batches, by the second.
type payments struct {
	Acknowledged float64 `json:"acknowledged_per_second"`
	Projected    float64 `json:"projected_per_second"` // from the first webhook until all was projected
}

// latency has milliseconds.
type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func summarize(h *histogram.Histogram) latency {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return latency{P50: ms(h.Quantile(.5)), P99: ms(h.Quantile(.99)), P999: ms(h.Quantile(.999)), Max: ms(h.Max())}
}

// deliveries is what is sent.
type deliveries interface {
	verify.Source
	AppendRequest(dst []byte, seq uint64) []byte
}

// measure runs t on a new server. What t.Check finds is no error here.
func (b *bench) measure(ctx context.Context, t *trial) (err error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the folder above goes at the end
	s, err := b.system(t.System).start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { // the exit code of a server that was told to stop is part of the trial
		if stopped := s.stop(); stopped != nil && err == nil {
			err = fmt.Errorf("%s stops with %w", t.System, stopped)
		}
	}()
	source, err := b.deliveries(ctx, s)
	if err != nil {
		return err
	}
	if err := t.together.wait(ctx); err != nil {
		return err
	}
	clock := load.Clock{Start: time.Now().Add(10 * time.Millisecond), Rate: t.Rate}
	measured := clock.Start.Add(b.plan.warmup())
	var events *subscriber
	if t.Subscribed {
		if events, err = b.subscribe(ctx, s, t.System, source, clock, measured); err != nil {
			return err
		}
		defer events.close()
	}
	result, err := b.load(ctx, t, s, source, clock)
	if err == nil {
		err = t.together.wait(ctx) // what follows needs a processor
	}
	if err != nil {
		return err
	}
	nc, err := nats.Connect("nats://" + s.nats)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, max(settleWithin, b.plan.Soak))
	defer cancel()
	c := verify.New(source, result.Outcomes)
	t.Check = c.Report()
	if err := b.system(t.System).check(ctx, js, c, source); err != nil {
		return err
	}
	if events != nil {
		return events.report(ctx, t)
	}
	return nil
}

// load runs the load and everything that follows from it, and fills in the figures.
func (b *bench) load(ctx context.Context, t *trial, s *server, source deliveries, clock load.Clock) (*load.Result, error) {
	dial, err := load.Loopback(s.http)
	if err != nil {
		return nil, err
	}
	// One processor is enough for the load, and waking another one is a good part of
	// what the load costs, which the server under test would pay for.
	if t.together == nil { // else it is so already
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	loading, soaked := ctx, func() error { return nil }
	if b.plan.Soak > 0 {
		loading, soaked = t.watch(ctx, s, b.plan.Soak/(stretches*samples))
	}
	before := meter(s)
	result, err := load.Run(loading, load.Options{
		Dial: dial, Request: source.AppendRequest, Connections: t.Connections,
		Clock: clock, Warmup: b.plan.warmup(), Duration: b.plan.Duration, Limit: limit(source),
	})
	if err = errors.Join(err, soaked()); err != nil {
		return nil, err
	}
	ended := time.Now()
	settle, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := b.system(t.System).drain(settle, s); err != nil {
		return nil, errors.Join(err, s.said.err())
	}
	t.Drain = time.Since(ended).Seconds()
	worked := time.Since(clock.Start).Seconds()
	if used := meter(s); used.known && before.known {
		cpu := (used.server.CPU - before.server.CPU).Seconds() / float64(max(1, result.Sent())) * 100_000
		rss := float64(used.server.PeakRSS) / (1 << 20)
		others := (used.others() - before.others()).Seconds() / used.at.Sub(before.at).Seconds()
		t.CPU, t.PeakRSS, t.Others = &cpu, &rss, &others
	}
	t.Throughput = float64(result.Acknowledged) / result.Measured.Seconds()
	if n := float64(b.plan.Batch); n > 0 {
		t.Payments = &payments{Acknowledged: t.Throughput * n, Projected: float64(result.Sent()) * n / worked}
	}
	t.HTTP = summarize(&result.Latency)
	t.Retries, t.Failures, t.Refusals, t.Unsent = result.Retries, result.Failures, result.Refusals, result.Unsent
	return result, ctx.Err()
}

// reading is what the server, the load generator and the machine have used until at.
type reading struct {
	at             time.Time
	server, sender procfs.Usage
	machine        time.Duration
	known          bool
}

func meter(s *server) reading {
	r := reading{at: time.Now(), known: true}
	for _, p := range s.processes() {
		used, ok := procfs.Of(p.cmd.Process.Pid)
		r.server.CPU += used.CPU
		r.server.PeakRSS += used.PeakRSS
		r.known = r.known && ok
	}
	var ok [2]bool
	r.sender, ok[0] = procfs.Of(os.Getpid())
	r.machine, ok[1] = procfs.Machine()
	r.known = r.known && ok[0] && ok[1]
	return r
}

func (r reading) others() time.Duration { return r.machine - r.server.CPU - r.sender.CPU }

// err says what makes t worthless, nil when nothing does.
func (t *trial) err() error {
	switch {
	case len(t.Refusals) > 0:
		return fmt.Errorf("deliveries were refused, by status: %v", t.Refusals)
	case t.HTTP.Max == 0:
		return fmt.Errorf("nothing was acknowledged; attempts failed by cause: %v", t.Failures)
	}
	return t.Check.Err()
}
