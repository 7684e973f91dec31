package projector

import (
	"context"
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

// BenchmarkViewFromEvents fills an empty view from a stream of 100 000 events.
func BenchmarkViewFromEvents(b *testing.B) {
	const total = 1_000_000
	ctx, logger := context.Background(), slog.New(slog.DiscardHandler)
	events := published(b, total, func(view.Batch) {})
	for b.Loop() {
		v, err := view.Open(ctx, filepath.Join(b.TempDir(), "view.db"))
		if err != nil {
			b.Fatal(err)
		}
		p := New(Options{Events: events, View: v, Now: time.Now, Logger: logger})
		began, before := time.Now(), processorTime(b)
		if err := p.readEvents(ctx, view.Position{}, total); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(total/time.Since(began).Seconds(), "events/s")
		b.ReportMetric(float64(processorTime(b)-before)/total, "cpu-ns/event")
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
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
