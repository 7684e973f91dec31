// Package telemetry counts what paynorm does, for Prometheus. Label values come
// from the configuration and from paynorm's own words, never from a payload.
package telemetry

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/paynorm/paynorm/services/normalizer/drift"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts webhooks, authentications and events.
type Metrics struct {
	registry    *prometheus.Registry
	webhooks    *prometheus.HistogramVec
	authentic   *prometheus.CounterVec
	keyUse      *prometheus.GaugeVec
	items       *prometheus.CounterVec
	drift       *prometheus.CounterVec
	keyUses     *prometheus.CounterVec
	commitSize  prometheus.Histogram
	commitBytes prometheus.Counter
	commitTime  prometheus.Histogram
	damaged     prometheus.Gauge
	scrubbed    prometheus.Gauge
	logger      *slog.Logger
	now         func() time.Time
	// Drift is what Drifted was told.
	Drift *drift.Book
	// Activity is what Configured and Authenticated were told.
	Activity *activity.Book
}

// New returns metrics in a registry of their own.
func New(logger *slog.Logger, now func() time.Time) *Metrics {
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
			Name: "paynorm_items_total", Help: "Items of deliveries by what became of them: applied, correction, stale, no_change, anomaly, duplicate, skipped_… or quarantined_….",
		}, []string{"provider", "outcome"}),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paynorm_schema_drift_total", Help: "Deliveries with a member that is not as the provider documents; at most 257 members a provider.",
		}, []string{"provider", "member"}),
		keyUses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paynorm_key_uses_total", Help: "Deliveries that a configured key authenticated.",
		}, []string{"provider", "merchant", "key"}),
		commitSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "paynorm_ledger_commit_deliveries", Help: "Deliveries that one commit of the ledger carries, and one fsync makes durable.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096},
		}),
		commitBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "paynorm_ledger_commit_bytes_total", Help: "Bytes of commits that were written to the ledger.",
		}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "paynorm_ledger_commit_seconds", Help: "Time from handing a commit to NATS to its acknowledgement, fsync included.",
			Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
		damaged: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "paynorm_ledger_damaged", Help: "1 when the last check of the whole ledger has found damage, else 0.",
		}),
		scrubbed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "paynorm_ledger_scrub_completed_timestamp_seconds", Help: "When the whole ledger was last checked and found whole, in Unix seconds.",
		}),
		logger: logger, now: now,
		Drift: drift.NewBook(), Activity: activity.NewBook(),
	}
	m.registry.MustRegister(m.webhooks, m.authentic, m.keyUse, m.keyUses, m.items, m.drift, newEndpoints(m.Activity, now), m.damaged, m.scrubbed, m.commitSize, m.commitBytes, m.commitTime,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Committed counts a commit of the ledger; see ledger.Observer.
func (m *Metrics) Committed(deliveries, bytes int, took time.Duration) {
	m.commitSize.Observe(float64(deliveries))
	m.commitBytes.Add(float64(bytes))
	m.commitTime.Observe(took.Seconds())
}

// Scrubbed is told what a check of the whole ledger has found, nil when it is whole; see ledger.Scrubber.
func (m *Metrics) Scrubbed(damage error) {
	if damage != nil {
		m.damaged.Set(1)
		return
	}
	m.damaged.Set(0)
	m.scrubbed.SetToCurrentTime()
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

// Configured makes the keys of set show with no use yet, so that one that is
// never used can be told from one that is unknown.
func (m *Metrics) Configured(set *endpoint.Set) {
	configured := make(map[activity.Endpoint]bool, set.Len())
	for e := range set.All() {
		ids, name := e.Keys.IDs(), activity.Endpoint{Provider: e.Provider, Merchant: e.Merchant}
		m.Activity.Configure(name, e.Mode, ids)
		configured[name] = true
		for _, id := range ids {
			m.keyUses.WithLabelValues(e.Provider, e.Merchant, id)
		}
	}
	m.Activity.Keep(configured)
}

// Authenticated counts an authentication; see ingest.Observer.
func (m *Metrics) Authenticated(d provider.Delivery, v provider.Verified, err error) {
	outcome, e := "authentic", activity.Endpoint{Provider: d.Provider, Merchant: d.Merchant}
	if err != nil {
		outcome = "not_authentic"
		if errors.Is(err, provider.ErrUndecodable) {
			outcome = "undecodable"
		}
		m.Activity.Refused(e, activity.Refusal{Time: d.ReceivedAt, Remote: d.RemoteAddr.String(), Cause: err.Error()})
	} else {
		m.Activity.Authentic(e, v.KeyID, d.ReceivedAt)
		m.keyUses.WithLabelValues(d.Provider, d.Merchant, v.KeyID).Inc()
		m.keyUse.WithLabelValues(d.Provider, d.Merchant, v.KeyID).SetToCurrentTime()
	}
	m.authentic.WithLabelValues(d.Provider, d.Merchant, outcome).Inc()
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

// Drifted counts a delivery with members that are not as documented, and logs
// each name once; see projector.Observer.
func (m *Metrics) Drifted(providerID string, members []string, at time.Time) {
	counted, added := m.Drift.Add(providerID, members, at)
	for _, name := range counted {
		m.drift.WithLabelValues(providerID, name).Inc()
	}
	for _, name := range added {
		m.logger.Warn("the provider sends a member that is not as it documents", "provider", providerID, "member", name)
	}
}
