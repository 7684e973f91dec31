package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// BenchmarkReads asks for a payment and for a filtered page of 50 events, in a
// small and in a large view, in turns, while 2 000 events a second come in. It
// reports the 99th percentiles, and the medians of the large view over those of
// the small one: what does not grow with the number of events stays near 1.
func BenchmarkReads(b *testing.B) {
	large := 1_000_000
	if testing.Short() {
		large = 100_000
	}
	sizes := []int{10_000, large}
	stores := make([]*store, len(sizes))
	for i, size := range sizes {
		stores[i] = fill(b, size)
	}
	for _, read := range []struct {
		name string
		ask  func(b *testing.B, s *store)
	}{{"payment", askPayment}, {"events", askEvents}} {
		for _, rate := range []int{0, 2000} {
			b.Run(fmt.Sprintf("%s/rate=%d", read.name, rate), func(b *testing.B) {
				took := make([][]time.Duration, len(sizes))
				stop := make(chan struct{})
				var writing sync.WaitGroup
				for _, s := range stores {
					writing.Go(func() { s.write(b, rate, stop) })
				}
				for b.Loop() {
					for i, s := range stores {
						began := time.Now()
						read.ask(b, s)
						took[i] = append(took[i], time.Since(began))
					}
				}
				close(stop)
				writing.Wait()
				median := make([]float64, len(sizes))
				for i, size := range sizes {
					slices.Sort(took[i])
					median[i] = float64(took[i][len(took[i])/2])
					b.ReportMetric(took[i][len(took[i])*99/100].Seconds()*1000, fmt.Sprintf("p99-ms-of-%d", size))
				}
				b.ReportMetric(median[1]/median[0], "large/small")
			})
		}
	}
}

// store is a view and who makes up its events.
type store struct {
	mu      sync.Mutex
	history *dataset.History
	view    *view.View
	filter  filter.Conditions
}

// fill makes a view with n events.
func fill(b *testing.B, n int) *store {
	b.Helper()
	ctx := context.Background()
	v, err := view.Open(ctx, filepath.Join(b.TempDir(), "view.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := v.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := v.BeginFill(ctx); err != nil {
		b.Fatal(err)
	}
	const atOnce = 10_000
	h := dataset.New(1)
	for range n / atOnce {
		if err := v.Apply(ctx, h.Batch(atOnce)); err != nil {
			b.Fatal(err)
		}
	}
	if err := v.EndFill(ctx); err != nil {
		b.Fatal(err)
	}
	f, err := filter.Events().Parse(`provider = clip AND merchant = acme AND payment_status = PAID`)
	if err != nil {
		b.Fatal(err)
	}
	return &store{history: h, view: v, filter: f}
}

// write applies rate events a second, in batches of 10 ms, until stop is closed.
func (s *store) write(b *testing.B, rate int, stop <-chan struct{}) {
	if rate == 0 {
		return
	}
	const every = 10 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		batch := s.history.Batch(rate / int(time.Second/every))
		s.mu.Unlock()
		if err := s.view.Apply(context.Background(), batch); err != nil {
			b.Error(err)
			return
		}
	}
}

func askPayment(b *testing.B, s *store) {
	s.mu.Lock()
	name := s.history.Payments(1)[0]
	s.mu.Unlock()
	// One that has just been made up may be on its way.
	if _, err := s.view.Payment(context.Background(), name); err != nil && !errors.Is(err, view.ErrNotFound) {
		b.Error(err)
	}
}

func askEvents(b *testing.B, s *store) {
	events, err := s.view.Events(context.Background(), view.Query{Filter: s.filter, Limit: 50})
	if err != nil || len(events) != 50 {
		b.Errorf("%d events (%v), want 50", len(events), err)
	}
}
