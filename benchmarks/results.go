package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// results are all trials of a plan and what they come to.
type results struct {
	Started  time.Time  `json:"started"`
	Machine  machine    `json:"machine"`
	Plan     plan       `json:"plan"`
	Duration float64    `json:"duration_seconds"` // of a trial
	Trials   []*trial   `json:"trials"`
	Summary  []*summary `json:"summary"`
	Reads    []*reads   `json:"reads,omitempty"`
	Against  []*against `json:"against,omitempty"`
}

// machine is where it ran.
type machine struct {
	OS    string  `json:"os"`
	Arch  string  `json:"arch"`
	CPUs  int     `json:"cpus"` // shared by server, its NATS and the load generator
	Go    string  `json:"go"`
	Fsync float64 `json:"fsync_ms"` // median of 4 KiB each
}

func newResults(p plan, dir string) (*results, error) {
	sync, err := measureSync(dir)
	if err != nil {
		return nil, err
	}
	return &results{
		Started: time.Now().UTC(), Plan: p, Duration: p.Duration.Seconds(),
		Machine: machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(), Fsync: float64(sync) / float64(time.Millisecond)},
	}, nil
}

// measureSync returns how long a small write takes to be on disk. Where that is
// next to nothing, the disk is none, and the comparison says little.
func measureSync(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer f.Close() // it is synced
	var took []time.Duration
	for range 101 {
		begun := time.Now()
		if _, err := f.Write(make([]byte, 4<<10)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begun))
	}
	return median(took), nil
}

// summary has the medians over the rounds of one system under one load.
type summary struct {
	System      string    `json:"system"`
	Connections int       `json:"connections"`
	Subscribed  bool      `json:"subscribed,omitempty"`
	Throughput  float64   `json:"acknowledged_per_second"`
	Payments    *payments `json:"payments,omitempty"` // of batches
	HTTP        latency   `json:"http_ms"`
	Events      *latency  `json:"http_to_subscriber_ms,omitempty"`
	Drain       float64   `json:"drain_seconds"`
	CPU         *float64  `json:"cpu_seconds_per_100000,omitempty"`
	PeakRSS     *float64  `json:"peak_rss_mib,omitempty"`
	Others      *float64  `json:"cpus_of_others,omitempty"`
	Retries     int       `json:"retries"` // of all rounds
	Unsent      int       `json:"unsent,omitempty"`
	// Ratio is the throughput over that of the baseline in the same round: median, lowest and highest.
	Ratio *[3]float64 `json:"ratio_to_baseline,omitempty"`
}

// summarize fills in Summary, in the order of the trials.
func (r *results) summarize() {
	type load struct {
		system      string
		connections int
		subscribed  bool
	}
	rounds := map[load][]*trial{}
	var order []load
	for _, t := range r.Trials {
		l := load{t.System, t.Connections, t.Subscribed}
		if rounds[l] == nil {
			order = append(order, l)
		}
		rounds[l] = append(rounds[l], t)
	}
	r.Summary = nil
	for _, l := range order {
		s := &summary{System: l.system, Connections: l.connections, Subscribed: l.subscribed}
		s.add(rounds[l])
		if l.system != baselineName && !l.subscribed {
			s.compare(rounds[l], rounds[load{baselineName, l.connections, false}])
		}
		r.Summary = append(r.Summary, s)
	}
}

func (s *summary) add(trials []*trial) {
	s.Throughput = medianOf(trials, func(t *trial) float64 { return t.Throughput })
	if !slices.ContainsFunc(trials, func(t *trial) bool { return t.Payments == nil }) {
		s.Payments = &payments{
			Acknowledged: medianOf(trials, func(t *trial) float64 { return t.Payments.Acknowledged }),
			Projected:    medianOf(trials, func(t *trial) float64 { return t.Payments.Projected }),
		}
	}
	s.Drain = medianOf(trials, func(t *trial) float64 { return t.Drain })
	s.HTTP = medianLatency(trials, func(t *trial) latency { return t.HTTP })
	if s.Subscribed {
		events := medianLatency(trials, func(t *trial) latency { return *t.Events })
		s.Events = &events
	}
	if !slices.ContainsFunc(trials, func(t *trial) bool { return t.CPU == nil }) {
		cpu := medianOf(trials, func(t *trial) float64 { return *t.CPU })
		rss := medianOf(trials, func(t *trial) float64 { return *t.PeakRSS })
		others := medianOf(trials, func(t *trial) float64 { return *t.Others })
		s.CPU, s.PeakRSS, s.Others = &cpu, &rss, &others
	}
	for _, t := range trials {
		s.Retries += t.Retries
		s.Unsent += t.Unsent
	}
}

// compare sets Ratio from the rounds that both have.
func (s *summary) compare(own, baseline []*trial) {
	var ratios []float64
	for i := range min(len(own), len(baseline)) {
		if baseline[i].Throughput > 0 {
			ratios = append(ratios, own[i].Throughput/baseline[i].Throughput)
		}
	}
	if len(ratios) > 0 {
		s.Ratio = &[3]float64{median(ratios), slices.Min(ratios), slices.Max(ratios)}
	}
}

func medianLatency(trials []*trial, of func(*trial) latency) latency {
	return latency{
		P50:  medianOf(trials, func(t *trial) float64 { return of(t).P50 }),
		P99:  medianOf(trials, func(t *trial) float64 { return of(t).P99 }),
		P999: medianOf(trials, func(t *trial) float64 { return of(t).P999 }),
		Max:  medianOf(trials, func(t *trial) float64 { return of(t).Max }),
	}
}

func medianOf[T any](trials []*T, of func(*T) float64) float64 {
	var values []float64
	for _, t := range trials {
		values = append(values, of(t))
	}
	return median(values)
}

// median returns the middle one; of an even number the mean of the middle two.
func median[T time.Duration | float64](values []T) T {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *results) write(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}
