// Package load sends deliveries as providers do: over HTTP/1.1 keep-alive
// connections, each again until it is acknowledged, and never after that.
//
// In a closed loop each connection sends its next delivery when the one before
// is acknowledged. In an open loop deliveries are due at a fixed rate whatever
// the answers do, and latency counts from when a delivery was due: a server
// that stalls is charged for all that had to wait (no coordinated omission).
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
)

// Bounds of a run.
const (
	MaxConnections = 4096
	MaxDuration    = 2 * time.Hour
	MaxRate        = 1_000_000  // deliveries per second
	MaxDeliveries  = 20_000_000 // whatever the duration
)

const (
	timeout    = 15 * time.Second       // of one attempt
	retryAfter = 100 * time.Millisecond // providers wait longer; the run is short
	grace      = 10 * time.Second       // for what is unanswered or unsent when the duration is over
)

// Options says what to send. All members without another word are required.
type Options struct {
	// Dial opens a connection to the server; see Loopback.
	Dial func(context.Context) (net.Conn, error)
	// Request appends the complete HTTP/1.1 request of delivery seq. It is called by several goroutines.
	Request func(dst []byte, seq uint64) []byte
	// Connections is how many deliveries can be on their way at once.
	Connections int
	// Clock says when deliveries are due. Its rate 0 is a closed loop.
	Clock Clock
	// Limit is how many deliveries there are; the run ends early when all are sent. 0 is MaxDeliveries.
	Limit uint64
	// Warmup at the start is left out of the figures. 0 is none.
	Warmup time.Duration
	// Duration counts from the end of the warm-up.
	Duration time.Duration
	// Sleep waits between due times. Nil takes the most exact that the system has.
	Sleep func(time.Duration)
}

// Outcome is what became of a delivery. The zero value was never sent.
type Outcome struct {
	Attempts     uint16
	Acknowledged bool // by a 2xx, which is always the last attempt
}

// Result is what was measured.
type Result struct {
	// Outcomes of all deliveries by sequence number, those of the warm-up too.
	Outcomes []Outcome
	// Latency until the acknowledgement, of deliveries that were due after the warm-up.
	Latency histogram.Histogram
	// Acknowledged is how many acknowledgements came after the warm-up and before the end.
	Acknowledged int
	// Measured is how long Acknowledged was counted.
	Measured time.Duration
	// Unsent is how many deliveries of an open loop were due and found no free connection until the end.
	Unsent int
	// Retries is how many attempts were not the first of their delivery.
	Retries int
	// Refusals counts what was neither acknowledged nor worth a retry, by HTTP status.
	Refusals map[int]int
	// Failures counts attempts that were retried, by their cause.
	Failures map[string]int
}

// Sent returns how many deliveries were tried at least once.
func (r *Result) Sent() int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Attempts > 0 {
			n++
		}
	}
	return n
}

// run is a run in work.
type run struct {
	Options
	measured, end, giveUp time.Time
	next                  atomic.Uint64
	handed                chan uint64 // open loop: sequence numbers whose time has come
}

// Run sends deliveries until the duration is over or ctx ends; ctx's end is no error.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{Options: o, measured: o.Clock.Start.Add(o.Warmup)}
	r.end = r.measured.Add(o.Duration)
	r.giveUp = r.end.Add(grace)
	pacing, stop := context.WithCancel(ctx)
	defer stop()
	if o.Clock.Rate > 0 {
		r.handed = make(chan uint64, 1<<14)
		if r.Sleep == nil {
			r.Sleep = sleep
		}
		go r.pace(pacing)
	}
	workers := make([]*worker, o.Connections)
	var all sync.WaitGroup
	for i := range workers {
		w := &worker{run: r, connection: connection{dial: o.Dial}, refusals: map[int]int{}, failures: map[string]int{}}
		workers[i] = w
		all.Go(func() {
			defer w.close()
			w.work(ctx)
		})
	}
	all.Wait()
	result := collect(workers)
	result.Measured = o.Duration
	if r.next.Load() >= r.limit() { // perhaps an early end
		result.Measured = min(o.Duration, time.Since(r.measured))
	}
	if result.Measured <= 0 {
		return nil, fmt.Errorf("%d deliveries were too few for the warm-up", r.limit())
	}
	if o.Clock.Rate > 0 {
		result.Unsent = int(r.next.Load()) - result.Sent()
	}
	return result, nil
}

func (o *Options) check() error {
	switch {
	case o.Connections < 1 || o.Connections > MaxConnections:
		return fmt.Errorf("connections must be 1 to %d", MaxConnections)
	case o.Duration <= 0 || o.Warmup < 0 || o.Warmup+o.Duration > MaxDuration:
		return fmt.Errorf("a run must take more than nothing and at most %v", MaxDuration)
	case o.Clock.Rate < 0 || o.Clock.Rate > MaxRate:
		return fmt.Errorf("the rate must be 0 to %d per second", MaxRate)
	case o.Clock.Start.IsZero():
		return errors.New("the clock has no start")
	}
	return nil
}

// limit is how many deliveries there may be.
func (r *run) limit() uint64 {
	if r.Limit == 0 {
		return MaxDeliveries
	}
	return min(r.Limit, MaxDeliveries)
}

// pace hands out sequence numbers when they are due. When all connections are
// busy it falls behind, but the due times do not.
func (r *run) pace(ctx context.Context) {
	defer close(r.handed)
	for seq := range r.limit() {
		at := r.Clock.Due(seq)
		if !at.Before(r.end) {
			return
		}
		if wait := time.Until(at); wait > 0 {
			r.Sleep(wait)
		}
		r.next.Store(seq + 1)
		select {
		case r.handed <- seq:
		case <-ctx.Done():
			return
		}
	}
}

func collect(workers []*worker) *Result {
	total := &Result{Refusals: map[int]int{}, Failures: map[string]int{}}
	for _, w := range workers {
		total.Latency.Merge(&w.latency)
		total.Acknowledged += w.acknowledged
		for _, d := range w.done {
			for uint64(len(total.Outcomes)) <= d.seq {
				total.Outcomes = append(total.Outcomes, Outcome{})
			}
			total.Outcomes[d.seq] = d.Outcome
			total.Retries += max(0, int(d.Attempts)-1)
		}
		for status, n := range w.refusals {
			total.Refusals[status] += n
		}
		for cause, n := range w.failures {
			total.Failures[cause] += n
		}
	}
	return total
}

// Loopback returns how to connect to address, host:port of this machine: the
// benchmarks load no other.
func Loopback(address string) (func(context.Context) (net.Conn, error), error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%q is not a loopback address", host)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("port %q: %w", port, err)
	}
	return func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", address)
	}, nil
}
