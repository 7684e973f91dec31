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
	From         float64    `json:"from_minute"`
	To           float64    `json:"to_minute"`
	Acknowledged float64    `json:"acknowledged_per_second"`
	CPU          float64    `json:"cpu_seconds_per_100000"`
	RSS          [2]float64 `json:"rss_mib"` // lowest and highest
	Files        [2]float64 `json:"open_files"`
	Goroutines   [2]float64 `json:"goroutines"`
}

// sample is what paynorm's metrics say at a time.
type sample struct {
	at                                      time.Time
	rss, files, goroutines, cpu, deliveries float64
}

// sample reads those metrics.
func (s *server) sample(ctx context.Context) (m sample, err error) {
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

// watch samples s every so often. The function it returns ends that and says how t's
// stretches were.
func (t *trial) watch(ctx context.Context, s *server, every time.Duration) (end func() error) {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var all []sample
	go func() {
		for {
			m, err := s.sample(watching)
			if watching.Err() != nil { // a sample that was cut short is none
				ended <- nil
				return
			}
			if err != nil {
				ended <- err
				return
			}
			all = append(all, m)
			select {
			case <-time.After(every):
			case <-watching.Done():
			}
		}
	}()
	return func() error {
		stop()
		err := <-ended
		if err == nil && len(all) <= stretches {
			err = errors.New("too few samples")
		}
		if err != nil {
			return fmt.Errorf("watch the soak: %w", err)
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
			Acknowledged: deliveries / to.at.Sub(from.at).Seconds(),
			CPU:          (to.cpu - from.cpu) / max(1, deliveries) * 100_000,
			RSS:          extremes(part, func(m sample) float64 { return m.rss / (1 << 20) }),
			Files:        extremes(part, func(m sample) float64 { return m.files }),
			Goroutines:   extremes(part, func(m sample) float64 { return m.goroutines }),
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
	fmt.Fprintln(&b, "minutes\tacked/s\tCPU-s/100k\tmemory MiB\topen files\tgoroutines\t")
	for _, t := range r.Trials {
		for _, s := range t.Stretches {
			fmt.Fprintf(&b, "%.1f–%.1f\t%.0f\t%.1f\t%.0f–%.0f\t%.0f–%.0f\t%.0f–%.0f\t\n", s.From, s.To, s.Acknowledged, s.CPU,
				s.RSS[0], s.RSS[1], s.Files[0], s.Files[1], s.Goroutines[0], s.Goroutines[1])
		}
	}
	return b.String()
}
