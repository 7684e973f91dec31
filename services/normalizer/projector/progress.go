package projector

import (
	"fmt"
	"log/slog"
	"time"
)

// tellEvery is how often long work tells how far it is.
const tellEvery = 5 * time.Second

// progress tells how far a piece of work is that takes long. Work that takes
// less than tellEvery is not mentioned.
type progress struct {
	logger      *slog.Logger
	now         func() time.Time
	what, unit  string
	total, done int64
	began, told time.Time
}

func newProgress(o Options, what, unit string, total int64) *progress {
	p := &progress{logger: o.Logger, now: o.Now, what: what, unit: unit, total: total}
	p.began = p.now()
	p.told = p.began
	return p
}

// add counts n as done.
func (p *progress) add(n int) {
	if p.done >= p.total {
		return // what arrived meanwhile
	}
	p.done += int64(n)
	now := p.now()
	if now.Sub(p.told) < tellEvery {
		return
	}
	p.told = now
	rate := float64(p.done) / now.Sub(p.began).Seconds()
	left := max(0, p.total-p.done)
	p.logger.Info(p.what, p.unit, p.done, "of", p.total,
		"percent", fmt.Sprintf("%.1f", 100*float64(min(p.done, p.total))/float64(p.total)),
		"per_second", int64(rate),
		"remaining", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
}
