package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
)

const subjects = "payments.v1.>"

// subscriber takes events as they come and measures how long after their
// delivery was due that is.
type subscriber struct {
	conn     *nats.Conn
	stop     func()
	source   *webhook.Source
	attempt  func(event []byte) (string, error)
	clock    load.Clock
	measured time.Time

	mu      sync.Mutex
	latency histogram.Histogram
	arrived int
	foreign int // are of no delivery
}

// subscribe starts to take events of s before the load.
func (b *bench) subscribe(ctx context.Context, s *server, name string, source deliveries, clock load.Clock, measured time.Time) (*subscriber, error) {
	clip, ok := source.(*webhook.Source)
	if !ok {
		return nil, errors.New("only Clip's webhooks can be followed to a subscriber")
	}
	nc, err := nats.Connect("nats://" + s.nats)
	if err != nil {
		return nil, err
	}
	u := &subscriber{conn: nc, stop: func() {}, source: clip, attempt: b.system(name).attempt, clock: clock, measured: measured}
	if b.plan.Subscriber == "core" {
		if _, err = nc.Subscribe(subjects, func(m *nats.Msg) { u.take(time.Now(), m.Data) }); err == nil {
			err = nc.Flush()
		}
	} else {
		err = u.consume(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return u, nil
}

// consume takes events from the stream, where they are on disk.
func (u *subscriber) consume(ctx context.Context) error {
	js, err := jetstream.New(u.conn)
	if err != nil {
		return err
	}
	stream, err := js.StreamNameBySubject(ctx, subjects)
	if err != nil {
		return err
	}
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subjects}})
	if err != nil {
		return err
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) { u.take(time.Now(), m.Data()) })
	if err != nil {
		return err
	}
	u.stop = consuming.Stop
	return nil
}

func (u *subscriber) close() {
	u.stop()
	u.conn.Close()
}

func (u *subscriber) take(now time.Time, event []byte) {
	id, err := u.attempt(event)
	seq, ok := u.source.Attempt(id)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.arrived++
	if err != nil || !ok {
		u.foreign++
		return
	}
	if due := u.clock.Due(seq); !due.Before(u.measured) {
		u.latency.Add(now.Sub(due))
	}
}

// report waits until the subscriber has all events that t's check has found,
// and fills in what it saw.
func (u *subscriber) report(ctx context.Context, t *trial) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		u.mu.Lock()
		arrived, foreign, seen := u.arrived, u.foreign, summarize(&u.latency)
		u.mu.Unlock()
		if foreign > 0 || arrived > t.Check.Applied {
			return fmt.Errorf("the subscriber got %d events, %d of them of no delivery, where %d were stored", arrived, foreign, t.Check.Applied)
		}
		if arrived == t.Check.Applied {
			t.Events = &seen
			return nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the subscriber got %d of %d events: %w", arrived, t.Check.Applied, ctx.Err())
		}
	}
}
