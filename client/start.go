package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotKept says that events after the cursor are not kept anymore: whoever
// went on would miss some. Start from the beginning and take it for a gap, or
// get the missing state with Queries.
var ErrNotKept = errors.New("events after the cursor are not kept anymore")

// ErrBeyond says that the cursor is beyond the last event: it is from another
// stream, or the stream was made anew.
var ErrBeyond = errors.New("the cursor is beyond the last event")

// Start says with which event to start. The zero value starts with the first
// that is kept.
type Start struct {
	from   place
	cursor int64
	time   time.Time
}

type place int

const (
	beginning place = iota
	now
	afterCursor
	atTime
)

// FromBeginning starts with the first event that is kept.
func FromBeginning() Start { return Start{} }

// FromNow starts with the first event that is published from now on.
func FromNow() Start { return Start{from: now} }

// AfterCursor starts with the event after that with the cursor; 0 starts with
// the first. It fails with ErrNotKept or ErrBeyond rather than leave a gap.
func AfterCursor(cursor int64) Start { return Start{from: afterCursor, cursor: cursor} }

// FromTime starts with the first event at or after t: published then, for
// Subscribe; received then, for Queries.Watch.
func FromTime(t time.Time) Start { return Start{from: atTime, time: t} }

// apply sets the start of a new consumer of a stream in the given state.
func (s Start) apply(c *jetstream.ConsumerConfig, state jetstream.StreamState) error {
	switch s.from {
	case beginning:
		c.DeliverPolicy = jetstream.DeliverAllPolicy
	case now:
		c.DeliverPolicy = jetstream.DeliverNewPolicy
	case atTime:
		c.DeliverPolicy, c.OptStartTime = jetstream.DeliverByStartTimePolicy, &s.time
	case afterCursor:
		first, last := int64(state.FirstSeq), int64(state.LastSeq)
		if s.cursor > last || s.cursor < 0 {
			return fmt.Errorf("start after %d: %w (%d)", s.cursor, ErrBeyond, last)
		}
		if s.cursor > 0 && s.cursor+1 < first {
			return fmt.Errorf("start after %d: %w (the first is %d)", s.cursor, ErrNotKept, first)
		}
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, uint64(s.cursor)+1
	}
	return nil
}
