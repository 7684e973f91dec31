package eventstream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Keep says how much of the stream is kept. What comes first trims the oldest
// messages; zero is no bound.
type Keep struct {
	MaxAge   time.Duration // since a message was stored, by the server's clock
	MaxBytes int64
}

// trimRounds bounds how often Trim looks again at what is left: messages have
// different sizes, and the server tells only the sum.
const trimRounds = 4

// Trim removes the oldest messages that keep does not cover, and returns how many.
// None above upTo goes, and the newest one always stays: it says where the
// projector goes on. Errors wrap ErrUnavailable.
func (s *Stream) Trim(ctx context.Context, keep Keep, upTo int64) (trimmed int64, err error) {
	for range trimRounds {
		info, err := s.stream.Info(ctx)
		if err != nil {
			return trimmed, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		first, last := int64(info.State.FirstSeq), int64(info.State.LastSeq)
		if last == 0 || first >= last {
			return trimmed, nil
		}
		from := first
		if excess := int64(info.State.Bytes) - keep.MaxBytes; keep.MaxBytes > 0 && excess > 0 {
			size := max(1, int64(info.State.Bytes)/max(1, int64(info.State.Msgs)))
			from += (excess + size - 1) / size
		}
		if keep.MaxAge > 0 {
			young, err := s.storedSince(ctx, first, last, info.TimeStamp.Add(-keep.MaxAge))
			if err != nil {
				return trimmed, err
			}
			from = max(from, young)
		}
		if from = min(from, upTo+1, last); from <= first {
			return trimmed, nil
		}
		if err := s.stream.Purge(ctx, jetstream.WithPurgeSequence(uint64(from))); err != nil {
			return trimmed, fmt.Errorf("%w: trim %s: %w", ErrUnavailable, Name, err)
		}
		trimmed += from - first
	}
	return trimmed, nil
}

// storedSince returns the sequence of the oldest message that was stored at or
// after t, last+1 when there is none. Times do not fall from one to the next.
func (s *Stream) storedSince(ctx context.Context, first, last int64, t time.Time) (int64, error) {
	low, high := first, last+1
	for low < high {
		middle := low + (high-low)/2
		m, err := s.stream.GetMsg(ctx, uint64(middle))
		if err != nil {
			return 0, fmt.Errorf("%w: message %d: %w", ErrUnavailable, middle, err)
		}
		if m.Time.Before(t) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
