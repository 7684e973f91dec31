// Package telemetry counts what paynorm does, for Prometheus. Label values come
// from the configuration and from paynorm's own words, never from a payload.
package telemetry

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxDrift bounds how many member names are remembered for each provider.
const maxDrift = 256

// Metrics counts webhooks, authentications and events.
type Metrics struct {
	registry  *prometheus.Registry
	webhooks  *prometheus.HistogramVec
	authentic *prometheus.CounterVec
	keyUse    *prometheus.GaugeVec
	items     *prometheus.CounterVec
	drift     *prometheus.CounterVec
	logger    *slog.Logger

	mu    sync.Mutex
	known map[string]map[string]bool // drift by provider and member, logged once
}

// New returns metrics in a registry of their own.
func New(logger *slog.Logger) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		webhooks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paynorm_webhook_duration_seconds", Help: "Time from a webhook's headers to its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"provider", "status"}),
		authentic: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paynorm_authentications_total", Help: "Deliveries to endpoints that exist, by outcome: authentic, not_authentic or undecodable.",
		}, []string{"provider", "merchant", "outcome"}),
		keyUse: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "paynorm_key_last_used_timestamp_seconds", Help: "When a configured key last authenticated a delivery, in Unix seconds.",
		}, []string{"provider", "merchant", "key"}),
		items: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paynorm_items_total", Help: "Items of deliveries by what became of them: applied, stale, no_change, anomaly, duplicate, skipped_… or quarantined_….",
		}, []string{"provider", "outcome"}),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paynorm_schema_drift_total", Help: "Deliveries with members that the provider's documentation does not know.",
		}, []string{"provider"}),
		logger: logger,
		known:  map[string]map[string]bool{},
	}
	m.registry.MustRegister(m.webhooks, m.authentic, m.keyUse, m.items, m.drift,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a figure that is asked for whenever metrics are read.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Webhook counts an answered webhook; see gateway.Metrics.
func (m *Metrics) Webhook(providerID string, status int, seconds float64) {
	m.webhooks.WithLabelValues(providerID, strconv.Itoa(status)).Observe(seconds)
}

// Authenticated counts an authentication; see ingest.Observer.
func (m *Metrics) Authenticated(providerID, merchant string, v provider.Verified, err error) {
	outcome := "authentic"
	switch {
	case errors.Is(err, provider.ErrUndecodable):
		outcome = "undecodable"
	case err != nil:
		outcome = "not_authentic"
	default:
		m.keyUse.WithLabelValues(providerID, merchant, v.KeyID).SetToCurrentTime()
	}
	m.authentic.WithLabelValues(providerID, merchant, outcome).Inc()
}

// Projected counts an item; see projector.Observer.
func (m *Metrics) Projected(providerID string, it normalize.Item, duplicate bool) {
	var outcome string
	switch {
	case duplicate:
		outcome = "duplicate"
	case it.Notice != nil:
		outcome = "quarantined_" + normalize.ReasonWord(it.Notice.GetReason())
	case it.Skip != nil:
		outcome = "skipped_" + it.Skip.Reason
	default:
		outcome = normalize.DispositionWord(it.Event.GetDisposition())
	}
	m.items.WithLabelValues(providerID, outcome).Inc()
}

// Drifted counts a delivery with unknown members and logs each name once; see
// projector.Observer.
func (m *Metrics) Drifted(providerID string, members []string) {
	m.drift.WithLabelValues(providerID).Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.known[providerID]
	if known == nil {
		known = map[string]bool{}
		m.known[providerID] = known
	}
	for _, name := range members {
		if !known[name] && len(known) < maxDrift {
			known[name] = true
			m.logger.Warn("the provider sends a member that its documentation does not know", "provider", providerID, "member", name)
		}
	}
}
