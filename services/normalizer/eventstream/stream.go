// Package eventstream publishes events and quarantine notices to the stream
// PAYNORM_EVENTS, in one sequence, and reads them back.
package eventstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Name is the name of the events' stream.
const Name = "PAYNORM_EVENTS"

// abandonedAfter is how long the server keeps a consumer that nobody reads.
const abandonedAfter = 30 * time.Second

// MaxBatch is how many messages Publish takes at once.
const MaxBatch = 1000

var (
	// ErrUnavailable says that it is not known which of the messages were stored.
	ErrUnavailable = errors.New("the event stream is not available")
	// ErrConflict says that the stream does not end where the publisher thought.
	ErrConflict = errors.New("the event stream ends elsewhere: is another paynorm writing to it?")
)

// Options says how events are published.
type Options struct {
	Conn       *nats.Conn
	Replicas   int
	JSON       bool // protojson instead of protobuf
	AckTimeout time.Duration
	Logger     *slog.Logger
}

// Stream is the stream of events. One goroutine publishes.
type Stream struct {
	o      Options
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Message is an event or a notice; exactly one is set.
type Message struct {
	Event  *eventv1.PaymentStatusChanged
	Notice *eventv1.QuarantineNotice
}

// Cursor returns the message's sequence in the stream.
func (m Message) Cursor() int64 {
	if m.Notice != nil {
		return m.Notice.GetCursor()
	}
	return m.Event.GetCursor()
}

// Position returns the place in the ledger that the message comes from.
func (m Message) Position() *eventv1.LedgerPosition {
	if m.Notice != nil {
		return m.Notice.GetLedgerPosition()
	}
	return m.Event.GetLedgerPosition()
}

// Open makes sure that the stream exists.
func Open(ctx context.Context, o Options) (*Stream, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, err
	}
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:               Name,
		Description:        "paynorm: canonical payment events and quarantine notices",
		Subjects:           []string{"payments.v1.>", "observations.v1.>", "quarantine.v1.>"},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		Replicas:           o.Replicas,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowDirect:        true,
		AllowAtomicPublish: true,
		// A courtesy to other publishers' retries; our own de-duplication has no window.
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Name, err)
	}
	return &Stream{o: o, js: js, stream: s}, nil
}

// Last returns the newest message, and its sequence; 0 and an empty message
// when the stream is empty.
func (s *Stream) Last(ctx context.Context) (int64, Message, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return 0, Message{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if info.State.LastSeq == 0 {
		return 0, Message{}, nil
	}
	raw, err := s.stream.GetMsg(ctx, info.State.LastSeq)
	if err != nil {
		return 0, Message{}, fmt.Errorf("%w: message %d: %w", ErrUnavailable, info.State.LastSeq, err)
	}
	m, err := decode(raw.Subject, raw.Header, raw.Data)
	return int64(raw.Sequence), m, err
}

// forget deletes a consumer. One that stays behind counts against the server's
// limit of a thousand, subscribers' consumers included. When it fails, the server
// forgets the consumer by itself after abandonedAfter.
func (s *Stream) forget(c jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.stream.DeleteConsumer(ctx, c.CachedInfo().Name)
}

// ReadAfter calls handle with the messages after cursor up to and including
// last, in order and in portions.
func (s *Stream) ReadAfter(ctx context.Context, cursor, last int64, handle func([]Message) error) error {
	consumer, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       uint64(cursor) + 1,
		InactiveThreshold: abandonedAfter,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer s.forget(consumer)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(MaxBatch))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer messages.Stop()
	var portion []Message
	for cursor < last {
		raw, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		m, err := decode(raw.Subject(), raw.Headers(), raw.Data())
		if err != nil {
			return err
		}
		if m.Cursor() != cursor+1 {
			return fmt.Errorf("stream %s: message %d is missing; delete the stream and the view to rebuild both from the ledger", Name, cursor+1)
		}
		cursor = m.Cursor()
		if portion = append(portion, m); len(portion) == MaxBatch || cursor == last {
			if err := handle(portion); err != nil {
				return err
			}
			portion = nil
		}
	}
	return nil
}
