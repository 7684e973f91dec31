package eventstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// batchFrom is from how many messages on an atomic batch beats publishing one
// by one: a batch costs about as much as ten synced messages, whatever its size.
const batchFrom = 8

// wrongLastSequence is JetStream's error code for an expected sequence that does not hold.
const wrongLastSequence = 10071

// Publish stores messages after the message numbered last, in order. Their
// cursors must be last+1, last+2 and so on. Errors wrap ErrConflict or
// ErrUnavailable; after either some of the first messages may be stored: read
// Last again.
func (s *Stream) Publish(ctx context.Context, last int64, messages []Message) error {
	if len(messages) > MaxBatch {
		return fmt.Errorf("eventstream: %d messages at once, at most %d", len(messages), MaxBatch)
	}
	encoded := make([]*nats.Msg, len(messages))
	for i, m := range messages {
		if m.Cursor() != last+int64(i)+1 {
			return fmt.Errorf("eventstream: message %d has cursor %d, want %d", i, m.Cursor(), last+int64(i)+1)
		}
		msg, err := s.encode(m)
		if err != nil {
			return err
		}
		encoded[i] = msg
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.AckTimeout)
	defer cancel()
	switch {
	case s.async:
		return s.chain(ctx, last, encoded)
	case len(encoded) < batchFrom:
		return s.oneByOne(ctx, last, encoded)
	}
	return s.batch(ctx, last, encoded)
}

// chain publishes for one acknowledgement, that of the last message. Each message
// names the one before it, so the last is stored only when all are, and a message
// that is published again is the same in all its headers.
func (s *Stream) chain(ctx context.Context, last int64, messages []*nats.Msg) error {
	if len(messages) == 0 {
		return nil
	}
	before, err := s.idAt(ctx, last)
	if err != nil {
		return err
	}
	end := len(messages) - 1
	for i, m := range messages {
		m.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatInt(last+int64(i), 10)}
		if before != "" {
			m.Header[jetstream.ExpectedLastMsgIDHeader] = []string{before}
		}
		before = m.Header[nats.MsgIdHdr][0]
		if i < end {
			err = s.o.Conn.PublishMsg(m)
		}
		if err != nil {
			return unavailable(err)
		}
	}
	if err := s.commit(ctx, last+int64(len(messages)), messages[end]); err != nil {
		return err
	}
	s.end, s.endID = last+int64(len(messages)), before
	return nil
}

// idAt returns the ID of a message, "" when it is not kept.
func (s *Stream) idAt(ctx context.Context, sequence int64) (string, error) {
	if sequence == s.end {
		return s.endID, nil
	}
	m, err := s.Get(ctx, sequence)
	if errors.Is(err, ErrNotKept) {
		return "", nil
	}
	return id(m.Name()), err
}

// oneByOne publishes without waiting in between: each message names the one
// before it, so that after a refused one the rest is refused too. The sequence
// alone would not do: another publisher's message may have taken it.
func (s *Stream) oneByOne(ctx context.Context, last int64, messages []*nats.Msg) error {
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		fence := []jetstream.PublishOpt{jetstream.WithExpectLastSequence(uint64(last) + uint64(i))}
		if i > 0 {
			fence = append(fence, jetstream.WithExpectLastMsgID(messages[i-1].Header[nats.MsgIdHdr][0]))
		}
		ack, err := s.js.PublishMsgAsync(m, fence...)
		if err != nil {
			return unavailable(err)
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		select {
		case pub := <-ack.Ok():
			if pub.Duplicate {
				return fmt.Errorf("%w: message %d was published before", ErrConflict, last+int64(i)+1)
			}
		case err := <-ack.Err():
			return unavailable(err)
		case <-ctx.Done():
			return unavailable(ctx.Err())
		}
	}
	return nil
}

// batch publishes by the protocol of NATS ADR-50, which nats.go has no client for.
func (s *Stream) batch(ctx context.Context, last int64, messages []*nats.Msg) error {
	batchID := nats.NewInbox() // unique, and below the 64 characters that an ID may have
	for i, m := range messages {
		m.Header["Nats-Batch-Id"] = []string{batchID}
		m.Header["Nats-Batch-Sequence"] = []string{strconv.Itoa(i + 1)}
		switch i {
		case 0:
			m.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatInt(last, 10)}
			m.Header[jetstream.ExpectedStreamHeader] = []string{Name}
		case len(messages) - 1:
			m.Header["Nats-Batch-Commit"] = []string{"1"}
			return s.commit(ctx, last+int64(len(messages)), m)
		}
		if err := s.o.Conn.PublishMsg(m); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// commit sends the last of some messages and checks the answer, which is for all of them.
func (s *Stream) commit(ctx context.Context, want int64, m *nats.Msg) error {
	answer, err := s.o.Conn.RequestMsgWithContext(ctx, m)
	if err != nil {
		return unavailable(err)
	}
	var ack struct {
		Error     *jetstream.APIError `json:"error"`
		Sequence  int64               `json:"seq"`
		Duplicate bool                `json:"duplicate"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return unavailable(err)
	}
	if ack.Error != nil {
		return unavailable(ack.Error)
	}
	if ack.Sequence != want || ack.Duplicate {
		return fmt.Errorf("%w: the messages end at %d, want %d", ErrConflict, ack.Sequence, want)
	}
	return nil
}

func unavailable(err error) error {
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) && api.ErrorCode == wrongLastSequence {
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
