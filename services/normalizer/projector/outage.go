package projector

import (
	"log/slog"
	"time"
)

// remindEvery is how often a projection that stays interrupted is told of again.
const remindEvery = time.Minute

// outage tells of failures that follow each other as of one: when it begins, once in
// remindEvery with the cause of then, and when it is over.
type outage struct {
	logger      *slog.Logger
	now         func() time.Time
	began, told time.Time // zero: all is well
}

// failed takes why the projection is interrupted.
func (o *outage) failed(cause error) {
	now := o.now()
	if o.began.IsZero() {
		o.began, o.told = now, now
		o.logger.Error("projection interrupted", "cause", cause)
		return
	}
	if now.Sub(o.told) >= remindEvery {
		o.told = now
		o.logger.Error("projection interrupted", "for", o.lasted(now), "cause", cause)
	}
}

// over is called whenever something has gone well.
func (o *outage) over() {
	if o.began.IsZero() {
		return
	}
	o.logger.Info("projection goes on", "interrupted_for", o.lasted(o.now()))
	o.began = time.Time{}
}

func (o *outage) lasted(now time.Time) time.Duration { return now.Sub(o.began).Round(time.Second) }
