package load

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
)

// worker sends one delivery at a time.
type worker struct {
	*run
	connection
	request      []byte
	latency      histogram.Histogram
	acknowledged int
	done         []delivery
	refusals     map[int]int
	failures     map[string]int
}

// delivery is a delivery that is done with.
type delivery struct {
	seq uint64
	Outcome
}

func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		seq, due, more := w.take()
		if !more {
			return
		}
		w.request = w.Request(w.request[:0], seq)
		w.done = append(w.done, delivery{seq, w.deliver(ctx, due)})
	}
}

// take returns the next delivery, and when it was or is due.
func (w *worker) take() (seq uint64, due time.Time, more bool) {
	if w.Clock.Rate == 0 {
		due = time.Now()
		if !due.Before(w.end) {
			return 0, due, false
		}
		seq = w.next.Add(1) - 1
		return seq, due, seq < w.limit()
	}
	seq, more = <-w.handed
	if !more || time.Now().After(w.giveUp) {
		return 0, due, false
	}
	return seq, w.Clock.Due(seq), true
}

// deliver sends the request until it is acknowledged, refused for good, or
// there is no time left.
func (w *worker) deliver(ctx context.Context, due time.Time) Outcome {
	var o Outcome
	for {
		o.Attempts = uint16(min(int(o.Attempts)+1, math.MaxUint16))
		status, err := w.send(ctx, w.request)
		now := time.Now()
		switch {
		case err != nil:
			w.failures[cause(err)]++
		case status >= 200 && status < 300:
			w.count(due, now)
			o.Acknowledged = true
			return o
		case status == http.StatusServiceUnavailable:
			w.failures[http.StatusText(status)]++
		default:
			w.refusals[status]++
			return o
		}
		if now.After(w.giveUp) {
			return o
		}
		select {
		case <-ctx.Done():
			return o
		case <-time.After(retryAfter):
		}
	}
}

func (w *worker) count(due, acknowledged time.Time) {
	if !due.Before(w.measured) {
		w.latency.Add(acknowledged.Sub(due))
	}
	if !acknowledged.Before(w.measured) && acknowledged.Before(w.end) {
		w.acknowledged++
	}
}
