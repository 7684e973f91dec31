package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// against is what two programs needed for the same load at the same time, on the
// same processors: whatever slows the machine down slows both down, so their ratio
// is known to half a percent where that of two runs one after the other moves by ten.
type against struct {
	Connections int `json:"connections"`
	// Rounds have paynorm first and the program that it is compared with second.
	Rounds [][2]*trial `json:"rounds"`
	// CPU is paynorm's CPU time for a delivery over the other's; nil where it is not known.
	CPU *estimate `json:"cpu_ratio,omitempty"`
	// PeakRSS is the same of their peak memory.
	PeakRSS *estimate `json:"peak_rss_ratio,omitempty"`
}

// estimate is the geometric mean of the ratios of some rounds, and its standard
// error as a part of it; that of one round is 0.
type estimate struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"standard_error"`
}

func estimated(ratios []float64) *estimate {
	var sum, squares float64
	for _, r := range ratios {
		sum += math.Log(r)
	}
	n := float64(len(ratios))
	for _, r := range ratios {
		squares += math.Pow(math.Log(r)-sum/n, 2)
	}
	return &estimate{Mean: math.Exp(sum / n), Error: math.Sqrt(squares / max(1, n-1) / n)}
}

// meeting is where all of a number of trials wait for each other. None waits for
// what has failed, and nil is the meeting of one.
type meeting struct {
	mu      sync.Mutex
	of      int
	waiting int
	all     chan struct{} // closed when all are there
}

func newMeeting(of int) *meeting { return &meeting{of: of, all: make(chan struct{})} }

func (m *meeting) wait(ctx context.Context) error {
	if m == nil {
		return ctx.Err()
	}
	m.mu.Lock()
	all := m.all
	if m.waiting++; m.waiting == m.of {
		m.waiting, m.all = 0, make(chan struct{})
		close(all)
	}
	m.mu.Unlock()
	select {
	case <-all:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runAgainst measures paynorm and another program at once.
func (b *bench) runAgainst(ctx context.Context, r *results) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // see load
	for _, connections := range b.plan.Connections {
		a := &against{Connections: connections}
		r.Against = append(r.Against, a)
		for round := range b.plan.Rounds {
			both, err := b.measureBoth(ctx, connections, round+1)
			if err != nil {
				return fmt.Errorf("%d connections, round %d: %w", connections, round+1, err)
			}
			a.Rounds = append(a.Rounds, both)
		}
		a.summarize()
	}
	return nil
}

func (b *bench) measureBoth(ctx context.Context, connections, round int) (both [2]*trial, err error) {
	together := newMeeting(len(both))
	running, ctx := errgroup.WithContext(ctx)
	for i, name := range []string{paynormName, otherName} {
		t := &trial{System: name, Round: round, Connections: connections, Rate: b.plan.Rate, together: together}
		both[i] = t
		running.Go(func() error {
			if err := b.measure(ctx, t); err != nil {
				return fmt.Errorf("%s: %w", t.System, err)
			}
			return t.err()
		})
	}
	if err = running.Wait(); err != nil {
		return both, err
	}
	for _, t := range both {
		t.log(b.progress)
	}
	return both, nil
}

func (a *against) summarize() {
	var cpu, rss []float64
	for _, r := range a.Rounds {
		if r[0].CPU == nil || r[1].CPU == nil {
			return
		}
		cpu, rss = append(cpu, *r[0].CPU / *r[1].CPU), append(rss, *r[0].PeakRSS / *r[1].PeakRSS)
	}
	a.CPU, a.PeakRSS = estimated(cpu), estimated(rss)
}

// againstRows has two rows for each number of connections.
func (r *results) againstRows() string {
	var b strings.Builder
	fmt.Fprintln(&b, "connections\tprogram\tacked/s\tp50 ms\tp99 ms\tCPU-s/100k\tpeak MiB\tdrain s\tCPU, of the other\tmemory, of the other\t")
	for _, a := range r.Against {
		if len(a.Rounds) == 0 {
			continue // the first one has failed
		}
		for i, name := range []string{paynormName, otherName} {
			s := &summary{}
			var of []*trial
			for _, round := range a.Rounds {
				of = append(of, round[i])
			}
			s.add(of)
			fmt.Fprintf(&b, "%d\t%s\t%.0f\t%.2f\t%.2f\t%s\t%s\t%.2f", a.Connections, name, s.Throughput, s.HTTP.P50, s.HTTP.P99, known(s.CPU, 1), known(s.PeakRSS, 0), s.Drain)
			if i == 0 {
				fmt.Fprintf(&b, "\t%s\t%s\t\n", a.CPU, a.PeakRSS)
			} else {
				fmt.Fprint(&b, "\t\t\t\n")
			}
		}
	}
	return b.String()
}

func (e *estimate) String() string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%.3f ± %.3f", e.Mean, e.Mean*e.Error)
}
