package serve

import (
	"context"
	"time"
)

// measure shows the figures of the stores among the metrics.
func (p *process) measure(s *stores) {
	p.metrics.Gauge("paynorm_projection_lag_commits", "Commits of the ledger that are not projected yet.",
		func() float64 { return float64(s.ledger.Last() - s.projector.Done()) })
	p.metrics.Gauge("paynorm_projection_lag_seconds", "Age of the oldest delivery that is not projected yet, in seconds; 0 when there is none.",
		func() float64 { return s.oldest(time.Now()).Seconds() })
	p.metrics.Gauge("paynorm_ledger_waiting_deliveries", "Deliveries that wait for a commit.",
		func() float64 { return float64(s.ledger.Waiting()) })
	p.metrics.Gauge("paynorm_ledger_available", "1 while the ledger takes deliveries, 0 while webhooks are answered 503.",
		func() float64 {
			if s.ledger.Health() != nil {
				return 0
			}
			return 1
		})
	p.metrics.Gauge("paynorm_watchers", "Clients that watch events.",
		func() float64 { return float64(s.hub.Watchers()) })
	p.metrics.Quarantine(s.view)
}

// askWithin bounds how long a figure waits for NATS.
const askWithin = 2 * time.Second

// oldest returns the age of the oldest commit that is not projected; 0 when there
// is none, or when the ledger cannot be asked, which shows in other figures.
func (s *stores) oldest(now time.Time) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	made, err := s.projector.Oldest(ctx)
	if err != nil || made.IsZero() {
		return 0
	}
	return max(0, now.Sub(made))
}
