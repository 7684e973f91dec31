package ledger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Scrubber reads the whole ledger again and again, slowly, and checks the chain of
// hashes: what rots on a disk is found while there is still a backup that has it.
type Scrubber struct {
	Ledger *Ledger
	Rate   int64                                      // bytes a second
	Every  time.Duration                              // between the begin of two rounds
	Now    func() time.Time                           // as for the ledger
	Wait   func(context.Context, time.Duration) error // returns ctx's error when that comes first
	Found  func(error)                                // told of damage; nil when a round has found none
	Logger *slog.Logger

	mu       sync.Mutex
	progress ScrubProgress
}

// ScrubProgress says how far scrubbing is.
type ScrubProgress struct {
	Ordinal   int64     // the last commit that was read in this round
	Completed time.Time // when a round last ended without a finding; zero before the first
	Damage    error     // what the last round that ended has found; nil when the ledger is whole
}

// Progress may be called at any time.
func (s *Scrubber) Progress() ScrubProgress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress
}

// Run scrubs until ctx ends, and returns its error. Damage ends a round, not the scrubbing.
func (s *Scrubber) Run(ctx context.Context) error {
	for {
		begin := s.Now()
		err := s.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err == nil:
			s.ended(nil)
		case errors.Is(err, ErrDamaged):
			s.Logger.Error("scrubbing has found damage in the ledger", "cause", err)
			s.ended(err)
		default:
			s.Logger.Warn("scrubbing was interrupted and begins anew later", "cause", err)
		}
		if err := s.Wait(ctx, max(time.Second, s.Every-s.Now().Sub(begin))); err != nil {
			return err
		}
	}
}

func (s *Scrubber) ended(damage error) {
	s.mu.Lock()
	s.progress.Damage = damage
	if damage == nil {
		s.progress.Completed = s.Now()
	}
	s.mu.Unlock()
	s.Found(damage)
}

// round reads all commits that were there when it began. One by one and by number, unlike
// a Reader: the server then says so when it cannot read one.
func (s *Scrubber) round(ctx context.Context) error {
	l := s.Ledger
	at, last := *l.anchor.Load(), l.Last()
	for owed := int64(0); at.ordinal < last; {
		data, err := l.stored(ctx, at.ordinal+1)
		if anchor := *l.anchor.Load(); anchor.ordinal > at.ordinal {
			at = anchor // trimmed meanwhile
			continue
		}
		if errors.Is(err, ErrNotKept) {
			err = errors.Join(ErrDamaged, err)
		}
		if err != nil {
			return err
		}
		if at, _, err = follow(at, uint64(at.ordinal)+1, data); err != nil {
			return err
		}
		s.mu.Lock()
		s.progress.Ordinal = at.ordinal
		s.mu.Unlock()
		// Waits are gathered, because short ones are longer than they say.
		if owed += int64(len(data)); owed >= s.Rate/10 {
			if err := s.Wait(ctx, time.Duration(float64(owed)/float64(s.Rate)*float64(time.Second))); err != nil {
				return err
			}
			owed = 0
		}
	}
	return nil
}
