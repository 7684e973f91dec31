package eventstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// batchFrom is from how many messages on an atomic batch beats publishing one
// by one: a batch costs about as much as ten synced messages, whatever its size.
const batchFrom = 8

// wrongLastSequence is JetStream's error code for an expected sequence that does not hold.
const wrongLastSequence = 10071

// Publish stores messages after the message numbered last, in order. Their
// cursors must be last+1, last+2 and so on. Their Data is published when they have it. Errors wrap
// ErrConflict or ErrUnavailable; after either, as after a crash, the first of them
// may be stored: read Last again.
func (s *Stream) Publish(ctx context.Context, last int64, messages []Message) error {
	if len(messages) > MaxBatch {
		return fmt.Errorf("eventstream: %d messages at once, at most %d", len(messages), MaxBatch)
	}
	for i, m := range messages {
		if m.Cursor() != last+int64(i)+1 {
			return fmt.Errorf("eventstream: message %d has cursor %d, want %d", i, m.Cursor(), last+int64(i)+1)
		}
	}
	bodies, err := s.bodies(messages)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.AckTimeout)
	defer cancel()
	if len(messages) < batchFrom || s.careful {
		err := s.oneByOne(ctx, last, messages, bodies)
		s.careful = s.careful && err != nil
		return err
	}
	err = s.batch(ctx, last, messages, bodies)
	s.careful = err != nil
	return err
}

// Encode sets the Data of messages that have none, unless events are published as JSON.
func (s *Stream) Encode(messages []Message) (err error) {
	for i := range messages {
		if m := &messages[i]; m.Data == nil && !s.o.JSON {
			if m.Data, err = proto.Marshal(m.content()); err != nil {
				return err
			}
		}
	}
	return nil
}

// bodies returns messages as they are published.
func (s *Stream) bodies(messages []Message) ([][]byte, error) {
	if err := s.Encode(messages); err != nil {
		return nil, err
	}
	out := make([][]byte, len(messages))
	for i, m := range messages {
		if out[i] = m.Data; !s.o.JSON {
			continue
		}
		var err error
		if out[i], err = protojson.Marshal(m.content()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// oneByOne publishes without waiting in between: each message names the one
// before it, so that after a refused one the rest is refused too. The sequence
// alone would not do: another publisher's message may have taken it.
func (s *Stream) oneByOne(ctx context.Context, last int64, messages []Message, bodies [][]byte) error {
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		fence := []jetstream.PublishOpt{jetstream.WithExpectLastSequence(uint64(last) + uint64(i))}
		if i > 0 {
			fence = append(fence, jetstream.WithExpectLastMsgID(id(messages[i-1].Name())))
		}
		msg := &nats.Msg{Header: nats.Header{}} // kept until it is acknowledged
		s.fill(msg, m, bodies[i])
		ack, err := s.js.PublishMsgAsync(msg, fence...)
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
func (s *Stream) batch(ctx context.Context, last int64, messages []Message, bodies [][]byte) error {
	batchID := nats.NewInbox() // unique, and below the 64 characters that an ID may have
	// One message each for all events and for all notices: nats.go copies what it publishes.
	event, notice := &nats.Msg{Header: nats.Header{}}, &nats.Msg{Header: nats.Header{}}
	for i, m := range messages {
		msg := event
		if m.Notice != nil {
			msg = notice
		}
		s.fill(msg, m, bodies[i])
		set(msg.Header, "Nats-Batch-Id", batchID)
		set(msg.Header, "Nats-Batch-Sequence", strconv.Itoa(i+1))
		switch i {
		case 0:
			set(msg.Header, jetstream.ExpectedLastSeqHeader, strconv.FormatInt(last, 10))
			set(msg.Header, jetstream.ExpectedStreamHeader, Name)
		case 1:
			for _, first := range []*nats.Msg{event, notice} {
				delete(first.Header, jetstream.ExpectedLastSeqHeader)
				delete(first.Header, jetstream.ExpectedStreamHeader)
			}
		case len(messages) - 1:
			set(msg.Header, "Nats-Batch-Commit", "1")
			return s.commit(ctx, last+int64(len(messages)), msg)
		}
		if err := s.o.Conn.PublishMsg(msg); err != nil {
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
