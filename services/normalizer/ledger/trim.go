package ledger

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// messageOverhead is what the server stores with each message besides its body.
const messageOverhead = 30 + len(subject)

// Keep bounds the ledger; what comes first trims its oldest commits. Zero is no bound.
type Keep struct {
	MaxAge   time.Duration // of a commit
	MaxBytes int64         // of the stream, as stored
}

// Trim removes the oldest commits that are beyond keep, but neither one after
// projected nor the newest. It returns how many it removed: none while a backup runs.
// Errors wrap ErrUnavailable or ErrDamaged, or say that the stream cannot be trimmed.
func (l *Ledger) Trim(ctx context.Context, keep Keep, projected int64) (int64, error) {
	if !l.trimming.TryLock() {
		return 0, nil
	}
	defer l.trimming.Unlock()
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	first := int64(info.State.FirstSeq)
	limit := min(projected+1, int64(info.State.LastSeq))
	if limit <= first {
		return 0, nil
	}
	to := first
	if keep.MaxAge > 0 {
		if to, err = l.youngerThan(ctx, l.o.Now().Add(-keep.MaxAge), first, limit); err != nil {
			return 0, err
		}
	}
	if keep.MaxBytes > 0 {
		over := int64(info.State.Bytes) - keep.MaxBytes
		for at := first; at < limit && over > 0; at++ {
			data, err := l.stored(ctx, at)
			if err != nil {
				return 0, err
			}
			over -= int64(len(data) + messageOverhead)
			to = max(to, at+1)
		}
	}
	if to == first {
		return 0, nil
	}
	if info.Config.DenyPurge {
		return 0, fmt.Errorf("stream %s was made by an early version, which denied purging for good: to trim it, back up the ledger and restore it", Stream)
	}
	return to - first, l.trimTo(ctx, to)
}

// youngerThan returns the number of the oldest commit from first on that was made after
// bound, limit when there is none before it. Commit times are taken to rise.
func (l *Ledger) youngerThan(ctx context.Context, bound time.Time, first, limit int64) (int64, error) {
	var failed error
	n := sort.Search(int(limit-first), func(i int) bool {
		if failed != nil {
			return true
		}
		data, err := l.stored(ctx, first+int64(i))
		if err != nil {
			failed = err
			return true
		}
		c, err := decode(uint64(first)+uint64(i), data)
		failed = err
		return err != nil || c.GetCommitTime().AsTime().After(bound)
	})
	return first + int64(n), failed
}

// trimTo removes all commits before the one numbered to. The checkpoint goes first: after a crash
// between the two, Open removes what it says is trimmed.
func (l *Ledger) trimTo(ctx context.Context, to int64) error {
	data, err := l.stored(ctx, to-1)
	if err != nil {
		return err
	}
	anchor := tipOf(to-1, data)
	if err := l.checkpoint.trimmed(anchor); err != nil {
		return err
	}
	l.anchor.Store(&anchor)
	return purge(ctx, l.stream, to)
}

func purge(ctx context.Context, s jetstream.Stream, to int64) error {
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(uint64(to))); err != nil {
		return fmt.Errorf("%w: trim: %w", ErrUnavailable, err)
	}
	return nil
}
