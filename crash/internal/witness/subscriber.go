package witness

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/paynorm/paynorm/crash/internal/history"
)

// Subscriber is a user of the events with a durable consumer. It lives through
// all crashes of the server.
type Subscriber struct {
	conn     *nats.Conn
	consumer jetstream.Consumer
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu   sync.Mutex
	seen history.Seen
}

const (
	durable = "crash-test"
	ackWait = 2 * time.Second
	awayFor = 20 * time.Millisecond // how long to wait for a server that comes back
	// forgets is how often the subscriber does not acknowledge a message: each one in forgets.
	forgets = 50
)

// Connect connects to a NATS that may be away at times.
func Connect(url string) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.Timeout(2*time.Second), nats.PingInterval(time.Second), nats.MaxPingsOutstanding(3))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	return nc, js, err
}

// Subscribe makes the consumer and starts to take messages.
func Subscribe(ctx context.Context, url string) (*Subscriber, error) {
	nc, js, err := Connect(url)
	if err != nil {
		return nil, err
	}
	s := &Subscriber{conn: nc, seen: history.Seen{First: map[int64]history.Digest{}}}
	s.consumer, err = js.CreateOrUpdateConsumer(ctx, eventStream, jetstream.ConsumerConfig{
		Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxAckPending: 100_000,
	})
	if err != nil {
		nc.Close()
		return nil, err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.done.Go(func() { s.run(ctx) })
	return s, nil
}

func (s *Subscriber) run(ctx context.Context) {
	for ctx.Err() == nil {
		batch, err := s.consumer.Fetch(500, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			rest(ctx, awayFor)
			continue
		}
		n := 0
		for m := range batch.Messages() {
			s.take(m)
			n++
		}
		if n == 0 && batch.Error() != nil {
			rest(ctx, awayFor)
		}
	}
}

// rest waits for d, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *Subscriber) take(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return // not from a consumer
	}
	sequence, sum := int64(meta.Sequence.Stream), raw(m.Subject(), m.Headers(), m.Data())
	s.mu.Lock()
	first, known := s.seen.First[sequence]
	switch {
	case !known:
		s.seen.First[sequence] = sum
	case first != sum:
		s.seen.Changed = append(s.seen.Changed, sequence)
	default:
		s.seen.Repeats++
	}
	s.mu.Unlock()
	if known || sequence%forgets != 0 {
		_ = m.Ack() // lost with a crash, and then it comes again
	}
}

// Close waits until the messages from first to last have come, or until nothing new
// has come for patience, and returns what was seen.
func (s *Subscriber) Close(ctx context.Context, first, last int64, patience time.Duration) history.Seen {
	count, since := -1, time.Now()
	for ctx.Err() == nil {
		complete, n := s.has(first, last)
		if n != count {
			count, since = n, time.Now()
		}
		if complete || time.Since(since) >= patience {
			break
		}
		rest(ctx, awayFor)
	}
	s.stop()
	s.done.Wait()
	s.conn.Close()
	return s.seen
}

func (s *Subscriber) has(first, last int64) (complete bool, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; first <= last; first++ {
		if _, ok := s.seen.First[first]; !ok {
			return false, len(s.seen.First)
		}
	}
	return true, len(s.seen.First)
}
