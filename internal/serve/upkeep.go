package serve

import (
	"context"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

const (
	// trimEvery is how often what is older than the retention is removed.
	trimEvery = time.Minute
	// scrubEvery is how often the whole ledger is read and checked.
	scrubEvery = 24 * time.Hour
	// scrubRate leaves the disk to those who wait for it, in bytes a second.
	scrubRate = 4 << 20
)

// keepUp starts what looks after the stores while paynorm runs.
func (p *process) keepUp(s *stores) {
	scrubber := &ledger.Scrubber{
		Ledger: s.ledger, Rate: scrubRate, Every: scrubEvery, Now: time.Now, Wait: wait,
		Found: p.metrics.Scrubbed, Logger: p.Logger,
	}
	p.runUntilClosed(func(ctx context.Context) error {
		_ = scrubber.Run(ctx) // ends with ctx; findings are reported
		return nil
	})
	p.runUntilClosed(func(ctx context.Context) error {
		p.metrics.WatchSilence(ctx)
		return nil
	})
	if p.Config.GetRetention() == nil {
		return
	}
	p.runUntilClosed(func(ctx context.Context) error {
		for wait(ctx, trimEvery) == nil {
			if err := p.trim(ctx, s); err != nil && ctx.Err() == nil {
				p.Logger.Error("old data could not be removed", "cause", err)
			}
		}
		return nil
	})
}

// trim removes what is beyond the retention: from the ledger nothing that is not
// projected, from the events nothing that the view does not have on the disk. A
// power cut takes back what it has beside it, which is then read from the events again.
func (p *process) trim(ctx context.Context, s *stores) error {
	at, err := s.view.Position(ctx)
	if err != nil {
		return err
	}
	if err := s.view.Sync(); err != nil {
		return err
	}
	if k := p.Config.GetRetention().GetEvents(); k != nil {
		age, size := bounds(k)
		n, err := s.events.Trim(ctx, eventstream.Keep{MaxAge: age, MaxBytes: size}, at.Cursor)
		if err != nil {
			return err
		}
		p.trimmed("events", n)
	}
	k := p.Config.GetRetention().GetLedger()
	if k == nil {
		return nil
	}
	age, size := bounds(k)
	n, err := s.ledger.Trim(ctx, ledger.Keep{MaxAge: age, MaxBytes: size}, at.LedgerSequence)
	p.trimmed("commits", n)
	if err != nil || s.ring == nil {
		return err
	}
	first, err := s.ledger.First(ctx)
	if err != nil {
		return err
	}
	return s.ring.Trimmed(ctx, first)
}

func bounds(k *configv1.Keep) (age time.Duration, size int64) {
	return k.GetMaxAge().AsDuration(), k.GetMaxBytes()
}

func (p *process) trimmed(what string, n int64) {
	if n > 0 {
		p.Logger.Info("old data was removed, as retention says", what, n)
	}
}

// wait returns after d, or ctx's error when that comes first.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
