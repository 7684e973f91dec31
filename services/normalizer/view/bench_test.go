package view_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// BenchmarkApply stores new events, three to a payment, each with the state of
// its payment, after prior events; ns/op is per event.
func BenchmarkApply(b *testing.B) {
	for _, prior := range []int{0, 1_000_000} {
		for _, size := range []int{1, 100, 1000} {
			if prior > 0 && testing.Short() {
				continue
			}
			b.Run(fmt.Sprintf("prior=%d/batch=%d", prior, size), func(b *testing.B) {
				v, h := open(b, filepath.Join(b.TempDir(), "view.db")), dataset.New(1)
				for n := 0; n < prior; n += 1000 {
					apply(b, v, h.Batch(1000))
				}
				batches := make([]view.Batch, 0, b.N/size+1)
				for n := 0; n < b.N; n += size {
					batches = append(batches, h.Batch(size))
				}
				runtime.GC()
				b.ResetTimer()
				before := processorTime(b)
				for _, batch := range batches {
					apply(b, v, batch)
				}
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkSeen looks up new events, as nearly all are; ns/op is per event.
func BenchmarkSeen(b *testing.B) {
	v, h := open(b, filepath.Join(b.TempDir(), "view.db")), dataset.New(1)
	for range 100 {
		apply(b, v, h.Batch(1000))
	}
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			for n := 0; n < b.N; n += size {
				b.StopTimer()
				var names []string
				for _, e := range h.Batch(size).Events {
					names = append(names, e.GetName())
				}
				b.StartTimer()
				if _, err := v.Seen(context.Background(), names); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStates reads known payments; ns/op is per payment.
func BenchmarkStates(b *testing.B) {
	v, h := open(b, filepath.Join(b.TempDir(), "view.db")), dataset.New(1)
	for range 100 {
		apply(b, v, h.Batch(1000))
	}
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			for n := 0; n < b.N; n += size {
				if _, err := v.States(context.Background(), h.Payments(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEvents reads a page of 50 of 100 000 events.
func BenchmarkEvents(b *testing.B) {
	v, h := open(b, filepath.Join(b.TempDir(), "view.db")), dataset.New(1)
	for range 100 {
		apply(b, v, h.Batch(1000))
	}
	last := h.Last()
	for _, f := range []string{
		"",
		`provider = clip AND merchant = acme`,
		`payment_status = PAID`,
		fmt.Sprintf("payment = %q", last.GetPayment()),
		fmt.Sprintf("merchant_reference = %q", last.GetMerchantReference()),
		fmt.Sprintf(`receive_time < %q`, h.Time(500).Format("2006-01-02T15:04:05Z")),
	} {
		b.Run("filter="+f, func(b *testing.B) {
			q := view.Query{Filter: parseEvents(b, f), Limit: 50}
			for b.Loop() {
				if _, err := v.Events(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// processorTime is what the process has used, which on a busy machine says more than the clock.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
