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
	"github.com/paynorm/paynorm/internal/tracing"
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
	// ErrNotKept says that a message is not in the stream: it was trimmed, or was never published.
	ErrNotKept = errors.New("the event stream does not hold the message")
	// ErrHole says that messages are missing in the middle of the stream.
	ErrHole = errors.New("messages are missing in the event stream")
)

// Options says how events are published.
type Options struct {
	Conn       *nats.Conn
	Replicas   int
	JSON       bool // protojson instead of protobuf
	AckTimeout time.Duration
	Tracer     *tracing.Tracer // nil: events say that their delivery is not traced
	Logger     *slog.Logger
}

// Stream is the stream of events. One goroutine publishes.
type Stream struct {
	o      Options
	js     jetstream.JetStream
	stream jetstream.Stream
	// careful says that the last batch failed. A server may have no room for a batch, and room for messages.
	careful bool
}

// Message is an event or a notice; exactly one is set.
type Message struct {
	Event  *eventv1.PaymentStatusChanged
	Notice *eventv1.QuarantineNotice
	// StoredOn is the subject that the message was read from; empty when it was not read.
	StoredOn string
	// Data is the event or notice in protobuf, once it was read or encoded so; else nil.
	Data []byte
}

// Subject returns where the message belongs.
func (m Message) Subject() string {
	if m.Notice != nil {
		return "quarantine.v1." + m.Notice.GetProvider() + "." + m.Notice.GetMerchant()
	}
	return Subject(m.Event)
}

// Name returns the name of the event or notice.
func (m Message) Name() string {
	if m.Notice != nil {
		return m.Notice.GetName()
	}
	return m.Event.GetName()
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
	cfg := jetstream.StreamConfig{
		Name:               Name,
		Description:        "paynorm: canonical payment events and quarantine notices",
		Subjects:           []string{"payments.v1.>", "observations.v1.>", "quarantine.v1.>"},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		Replicas:           o.Replicas,
		DenyDelete:         true, // Trim purges, so purging cannot be denied; permissions have to protect it
		AllowDirect:        true,
		AllowAtomicPublish: true,
		// Our own de-duplication has no window, and nobody else publishes. NATS keeps 200 bytes
		// for each ID in its window, which at some thousand events a second would be a lot.
		Duplicates: time.Second,
	}
	if there, err := js.Stream(ctx, Name); err == nil {
		// NATS does not take it back. A stream that was made with it, by the first versions, is not trimmed.
		cfg.DenyPurge = there.CachedInfo().Config.DenyPurge
	}
	s, err := js.CreateOrUpdateStream(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Name, err)
	}
	return &Stream{o: o, js: js, stream: s}, nil
}

// Extent is what the stream holds.
type Extent struct {
	First, Last int64 // sequences; First is Last+1 when nothing is left, Last 0 when nothing ever was
	Messages    int64
}

// Missing returns how many messages between First and Last are not there.
func (e Extent) Missing() int64 { return e.Last - e.First + 1 - e.Messages }

// briefly bounds a question to the server by AckTimeout: when the connection goes away
// at the wrong moment, no answer ever comes.
func (s *Stream) briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.o.AckTimeout)
}

// Extent asks the server what the stream holds. Errors wrap ErrUnavailable.
func (s *Stream) Extent(ctx context.Context) (Extent, error) {
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	info, err := s.stream.Info(ctx)
	if err != nil {
		return Extent{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	st := info.State
	return Extent{First: max(1, int64(st.FirstSeq)), Last: int64(st.LastSeq), Messages: int64(st.Msgs)}, nil
}

// First returns the sequence of the oldest message that is kept; 1 when nothing
// was trimmed or published. Errors wrap ErrUnavailable.
func (s *Stream) First(ctx context.Context) (int64, error) {
	extent, err := s.Extent(ctx)
	return extent.First, err
}

// Get returns the message of a sequence. Errors wrap ErrNotKept or ErrUnavailable.
func (s *Stream) Get(ctx context.Context, sequence int64) (Message, error) {
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	raw, err := s.stream.GetMsg(ctx, uint64(max(0, sequence)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Message{}, fmt.Errorf("%w: message %d", ErrNotKept, sequence)
	}
	if err != nil {
		return Message{}, fmt.Errorf("%w: message %d: %w", ErrUnavailable, sequence, err)
	}
	return decode(raw.Subject, raw.Header, raw.Data)
}

// Last returns the newest message, and its sequence; 0 and an empty message
// when the stream is empty.
func (s *Stream) Last(ctx context.Context) (int64, Message, error) {
	extent, err := s.Extent(ctx)
	if err != nil || extent.Last == 0 {
		return 0, Message{}, err
	}
	m, err := s.Get(ctx, extent.Last)
	return extent.Last, m, err
}

// Delete deletes the stream with all that it holds, its consumers included.
// Errors wrap ErrUnavailable; there need not be a stream.
func Delete(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if err := js.DeleteStream(ctx, Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%w: delete stream %s: %w", ErrUnavailable, Name, err)
	}
	return nil
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
// last, in order and in portions of MaxBatch at most. Errors wrap ErrNotKept when
// the first of them was trimmed, ErrHole, ErrUnavailable, or are those of handle.
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
	for first := true; cursor < last; first = false {
		raw, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		m, err := decode(raw.Subject(), raw.Headers(), raw.Data())
		if err != nil {
			return err
		}
		if m.Cursor() != cursor+1 {
			if first {
				return fmt.Errorf("%w: message %d; the oldest is %d", ErrNotKept, cursor+1, m.Cursor())
			}
			return fmt.Errorf("%w: message %d of %s", ErrHole, cursor+1, Name)
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
