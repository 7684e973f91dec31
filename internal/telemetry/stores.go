package telemetry

import (
	"context"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/prometheus/client_golang/prometheus"
)

// collectWithin bounds how long a scrape waits for the stores.
const collectWithin = 5 * time.Second

// Quarantine says what is quarantined and not released; see view.View.
type Quarantine interface {
	Quarantine(ctx context.Context) ([]view.Quarantined, error)
}

// quarantine counts open quarantined items whenever metrics are read.
type quarantine struct {
	from Quarantine
	open *prometheus.Desc
}

// Quarantine shows what from says.
func (m *Metrics) Quarantine(from Quarantine) {
	m.registry.MustRegister(quarantine{from: from, open: prometheus.NewDesc("paynorm_quarantine_open",
		"Items that are quarantined and not released.", []string{"provider", "merchant", "reason"}, nil)})
}

// Describe implements prometheus.Collector.
func (q quarantine) Describe(to chan<- *prometheus.Desc) { to <- q.open }

// Collect implements prometheus.Collector.
func (q quarantine) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectWithin)
	defer cancel()
	all, err := q.from.Quarantine(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(q.open, err)
		return
	}
	for _, c := range all {
		to <- prometheus.MustNewConstMetric(q.open, prometheus.GaugeValue, float64(c.Items), c.Provider, c.Merchant, normalize.ReasonWord(c.Reason))
	}
}
