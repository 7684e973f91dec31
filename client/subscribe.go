package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// forgotten is how long the server keeps a consumer without a name that nobody reads.
const forgotten = time.Minute

// flushWithin bounds how long the end waits for a server that may be away.
const flushWithin = 2 * time.Second

// Subscribe calls the handlers with events until ctx ends, then lets those at
// work finish and returns nil. It returns an error when the consumer cannot be
// made or is deleted. A NATS server that goes away is waited for, by the options of conn.
func Subscribe(ctx context.Context, conn *nats.Conn, o Options, h Handlers) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	consumer, err := o.consumer(ctx, js)
	if err != nil {
		return fmt.Errorf("consumer of %s: %w", Stream, err)
	}
	o.OnReady()
	s := &subscriber{o: o, handlers: h}
	// What is delivered waits here while its time to be acknowledged runs, so take no more than needed.
	messages, err := consumer.Messages(jetstream.PullMaxMessages(o.Concurrency))
	if err != nil {
		return fmt.Errorf("consumer of %s: %w", Stream, err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Drain)()
	err = s.run(ctx, messages)
	// The program may end now, and the acknowledgements must not stay behind.
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
	defer cancel()
	_ = conn.FlushWithContext(flush)
	return err
}

type subscriber struct {
	o        Options
	handlers Handlers
}

func (s *subscriber) run(ctx context.Context, messages jetstream.MessagesContext) error {
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, s.o.Concurrency)
	for {
		msg, err := messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrNoHeartbeat): // the server is away; nats.go asks again
			s.o.Logger.Warn("nothing is heard of the NATS server")
			continue
		case errors.Is(err, jetstream.ErrMsgIteratorClosed) && ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", Stream, err)
		}
		slots <- struct{}{}
		if ctx.Err() != nil { // somebody else, or we when we come back, shall have it at once
			<-slots
			_ = msg.Nak()
			continue
		}
		work.Go(func() {
			defer func() { <-slots }()
			s.deliver(context.WithoutCancel(ctx), msg)
		})
	}
}

// consumer makes, updates or finds the consumer.
func (o *Options) consumer(ctx context.Context, js jetstream.JetStream) (jetstream.Consumer, error) {
	if o.Bind {
		c, err := js.Consumer(ctx, Stream, o.Durable)
		if err != nil {
			return nil, err
		}
		have := c.CachedInfo().Config
		if o.Ordered && have.MaxAckPending != 1 {
			return nil, fmt.Errorf("%s does not keep order: its max_ack_pending is %d, not 1", o.Durable, have.MaxAckPending)
		}
		o.HandlerTimeout = min(o.HandlerTimeout, have.AckWait/2)
		return c, nil
	}
	stream, err := js.Stream(ctx, Stream)
	if err != nil {
		return nil, err
	}
	config := jetstream.ConsumerConfig{
		Durable: o.Durable, FilterSubjects: o.Subjects,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: 2*o.HandlerTimeout + 5*time.Second,
		MaxDeliver: -1, MaxAckPending: max(1000, o.Concurrency),
	}
	if o.Ordered {
		config.MaxAckPending = 1
	}
	if o.Durable == "" {
		config.InactiveThreshold = forgotten
		if err := o.Start.apply(&config, stream.CachedInfo().State); err != nil {
			return nil, err
		}
		return stream.CreateConsumer(ctx, config)
	}
	switch old, err := stream.Consumer(ctx, o.Durable); {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		if err := o.Start.apply(&config, stream.CachedInfo().State); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default: // where it began cannot be changed
		have := old.CachedInfo().Config
		config.DeliverPolicy, config.OptStartSeq, config.OptStartTime = have.DeliverPolicy, have.OptStartSeq, have.OptStartTime
	}
	return stream.CreateOrUpdateConsumer(ctx, config)
}
