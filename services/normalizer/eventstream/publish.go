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
// cursors must be last+1, last+2 and so on; their Data is set. Errors wrap
// ErrConflict or ErrUnavailable; after either, as after a crash, the first of them
// may be stored: read Last again.
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
		if !s.o.JSON {
			messages[i].Data = msg.Data
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.AckTimeout)
	defer cancel()
	if len(encoded) < batchFrom || s.careful {
		err := s.oneByOne(ctx, last, encoded)
		s.careful = s.careful && err != nil
		return err
	}
	err := s.batch(ctx, last, encoded)
	s.careful = err != nil
	return err
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

// commit sends the last message of a batch and checks the answer for all of it.
func (s *Stream) commit(ctx context.Context, want int64, m *nats.Msg) error {
	answer, err := s.o.Conn.RequestMsgWithContext(ctx, m)
	if err != nil {
		return unavailable(err)
	}
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Sequence int64               `json:"seq"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return unavailable(err)
	}
	if ack.Error != nil {
		return unavailable(ack.Error)
	}
	if ack.Sequence != want {
		return fmt.Errorf("%w: the batch ends at %d, want %d", ErrConflict, ack.Sequence, want)
	}
	return nil
}

func unavailable(err error) error {
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) && api.ErrorCode == wrongLastSequence {
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
