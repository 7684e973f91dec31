package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/prometheus/client_golang/prometheus"
)

// silenceEvery is how often endpoints are asked whether they have fallen silent.
const silenceEvery = 30 * time.Second

// endpoints shows what the activity book knows whenever metrics are read.
type endpoints struct {
	book         *activity.Book
	now          func() time.Time
	silent, last *prometheus.Desc
}

func newEndpoints(book *activity.Book, now func() time.Time) *endpoints {
	labels := []string{"provider", "merchant"}
	return &endpoints{
		book: book, now: now,
		silent: prometheus.NewDesc("paynorm_endpoint_silent", "1 when an endpoint has received nothing for much longer than it usually does, else 0.", labels, nil),
		last:   prometheus.NewDesc("paynorm_endpoint_last_delivery_timestamp_seconds", "When an endpoint received its last authentic delivery, in Unix seconds; 0 since the start of the process.", labels, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *endpoints) Describe(to chan<- *prometheus.Desc) {
	to <- c.silent
	to <- c.last
}

// Collect implements prometheus.Collector.
func (c *endpoints) Collect(to chan<- prometheus.Metric) {
	for _, r := range c.book.Reports(c.now()) {
		silent, last := 0.0, 0.0
		if r.Silent {
			silent = 1
		}
		if !r.LastAuthentic.IsZero() {
			last = float64(r.LastAuthentic.UnixNano()) / float64(time.Second)
		}
		to <- prometheus.MustNewConstMetric(c.silent, prometheus.GaugeValue, silent, r.Provider, r.Merchant)
		to <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, last, r.Provider, r.Merchant)
	}
}

// WatchSilence logs when an endpoint falls silent and when it receives again, until ctx ends.
func (m *Metrics) WatchSilence(ctx context.Context) {
	ticks := time.NewTicker(silenceEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		for _, c := range m.Activity.Changes(m.now()) {
			level, text := slog.LevelInfo, "endpoint receives again"
			if c.Silent {
				level, text = slog.LevelWarn, "endpoint has fallen silent"
			}
			m.logger.Log(ctx, level, text, "provider", c.Provider, "merchant", c.Merchant, "last", c.Since, "usual_silence", c.UsualSilence)
		}
	}
}
