package projector

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// BenchmarkViewFromEvents fills an empty view from a stream of made-up events.
func BenchmarkViewFromEvents(b *testing.B) {
	for _, total := range []int64{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("events=%d", total), func(b *testing.B) {
			events := published(b, total, func(view.Batch) {})
			for b.Loop() {
				fillView(b, events, total)
			}
		})
	}
}

func fillView(b *testing.B, events *eventstream.Stream, total int64) {
	ctx := context.Background()
	v, err := view.Open(ctx, filepath.Join(b.TempDir(), "view.db"))
	if err != nil {
		b.Fatal(err)
	}
	p := New(Options{Events: events, View: v, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	began, before := time.Now(), processorTime(b)
	if err := p.readEvents(ctx, view.Position{}, total); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(total)/time.Since(began).Seconds(), "events/s")
	b.ReportMetric(float64(processorTime(b)-before)/float64(total), "cpu-ns/event")
	if err := v.Close(); err != nil {
		b.Fatal(err)
	}
}

// published returns a stream of total made-up events, and calls each with those
// of every thousand.
func published(tb testing.TB, total int64, each func(view.Batch)) *eventstream.Stream {
	tb.Helper()
	events, err := eventstream.Open(tb.Context(), eventstream.Options{
		Conn: natsdtest.Connect(tb, natsdtest.Start(tb, "")), Replicas: 1, AckTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	h := dataset.New(1)
	for last := int64(0); last < total; last += eventstream.MaxBatch {
		batch := h.Batch(eventstream.MaxBatch)
		var messages []eventstream.Message
		for _, e := range batch.Events {
			messages = append(messages, eventstream.Message{Event: e})
		}
		if err := events.Publish(tb.Context(), last, messages); err != nil {
			tb.Fatal(err)
		}
		each(batch)
	}
	return events
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
