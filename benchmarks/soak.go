package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	soakRate = 2000 // deliveries per second of a soak, unless -rate says otherwise
	// stretches are the parts of a soak that are compared, samples how often each is looked at.
	stretches, samples = 6, 20
	minSoak, maxSoak   = time.Minute, time.Hour
)

// stretch is a part of a soak: what stays the same in all of them does not drift.
type stretch struct {
	From       float64    `json:"from_minute"`
	To         float64    `json:"to_minute"`
	Stored     float64    `json:"stored_per_second"` // deliveries
	CPU        float64    `json:"cpu_seconds_per_100000"`
	RSS        [2]float64 `json:"rss_mib"` // lowest and highest
	Files      [2]float64 `json:"open_files"`
	Goroutines [2]float64 `json:"goroutines"`
}

// sample is what paynorm's metrics say at a time.
type sample struct {
	at                                      time.Time
	rss, files, goroutines, cpu, deliveries float64
}

// sampledWithin bounds how long paynorm may take to tell its metrics.
const sampledWithin = 10 * time.Second

// sample reads those metrics.
func (s *server) sample(ctx context.Context) (m sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, sampledWithin)
	defer cancel()
	names := []string{"process_resident_memory_bytes", "process_open_fds", "go_goroutines", "process_cpu_seconds_total", "paynorm_ledger_commit_deliveries"}
	text, err := get(ctx, s.metrics+"?"+url.Values{"name[]": names}.Encode())
	if err != nil {
		return sample{}, err
	}
	m.at = time.Now()
	for i, to := range []*float64{&m.rss, &m.files, &m.goroutines, &m.cpu, &m.deliveries} {
		name := names[i]
		if to == &m.deliveries {
			name += "_sum" // of a histogram
		}
		if *to, err = figure(text, name); err != nil {
			return sample{}, err
		}
	}
	return m, nil
}

// watch samples s every so often. The context that it returns ends when that fails, and
// the function ends it and says how t's stretches were.
func (t *trial) watch(ctx context.Context, s *server, every time.Duration) (_ context.Context, end func() error) {
	ctx, stop := context.WithCancelCause(ctx)
	var all []sample
	look := func() {
		m, err := s.sample(ctx)
		if err != nil {
			stop(fmt.Errorf("watch the soak: %w", err))
			return
		}
		all = append(all, m)
	}
	look()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look()
			case <-over:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() error {
		close(over)
		<-ended
		defer stop(nil)
		if ctx.Err() == nil {
			look()
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if len(all) <= stretches {
			return errors.New("watch the soak: it was too short")
		}
		t.Stretches = divide(all)
		return nil
	}
}

// divide makes stretches of equally many samples; each has its last one in common with
// the next.
func divide(all []sample) (out []stretch) {
	last := len(all) - 1
	minute := func(m sample) float64 { return m.at.Sub(all[0].at).Minutes() }
	for i := range stretches {
		part := all[i*last/stretches : (i+1)*last/stretches+1]
		from, to := part[0], part[len(part)-1]
		deliveries := to.deliveries - from.deliveries
		out = append(out, stretch{
			From: minute(from), To: minute(to),
			Stored:     deliveries / to.at.Sub(from.at).Seconds(),
			CPU:        (to.cpu - from.cpu) / max(1, deliveries) * 100_000,
			RSS:        extremes(part, func(m sample) float64 { return m.rss / (1 << 20) }),
			Files:      extremes(part, func(m sample) float64 { return m.files }),
			Goroutines: extremes(part, func(m sample) float64 { return m.goroutines }),
		})
	}
	return out
}

func extremes(part []sample, of func(sample) float64) [2]float64 {
	e := [2]float64{of(part[0]), of(part[0])}
	for _, m := range part {
		e[0], e[1] = min(e[0], of(m)), max(e[1], of(m))
	}
	return e
}

// stretchRows has a row for each stretch of the soak.
func (r *results) stretchRows() string {
	var b strings.Builder
	fmt.Fprintln(&b, "minutes\tstored/s\tCPU-s/100k\tmemory MiB\topen files\tgoroutines\t")
	for _, t := range r.Trials {
		for _, s := range t.Stretches {
			fmt.Fprintf(&b, "%.1f–%.1f\t%.0f\t%.1f\t%.0f–%.0f\t%.0f–%.0f\t%.0f–%.0f\t\n", s.From, s.To, s.Stored, s.CPU,
				s.RSS[0], s.RSS[1], s.Files[0], s.Files[1], s.Goroutines[0], s.Goroutines[1])
		}
	}
	return b.String()
}
