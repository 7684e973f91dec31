package client

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"
)

// Options say what to subscribe to, and how. The zero value of each field is its default.
type Options struct {
	// Durable names the consumer. Who subscribes again with the same name goes on
	// where it was; several programs with the same name share the events. Without
	// a name the consumer is forgotten a minute after the program has gone.
	Durable string
	// Bind says that the consumer Durable is there already and is not to be made
	// or changed: what Subjects, Start and Ordered say is then its own matter.
	// It is the way of users who may only fetch and acknowledge.
	Bind bool
	// Subjects say what is wanted; see Filter. Default: all events that changed something.
	Subjects []string
	// Start says where a new consumer starts. One that exists goes on where it was. Default: FromBeginning.
	Start Start

	// Ordered hands out one event at a time, and none before the one before it was
	// handled, also over restarts and with several programs. It costs a round trip
	// for each event. Without it, an event whose handler failed comes later than its successors.
	Ordered bool
	// Concurrency is how many handlers run at once. Default 1; with Ordered always 1.
	Concurrency int
	// HandlerTimeout ends the context of a handler. Default 30s. An event is delivered
	// again when nothing was heard of it for more than twice this time.
	HandlerTimeout time.Duration

	// Backoff says how long to wait after a failed try, counted from 1. Default:
	// 1s, doubled each time up to 5 minutes.
	Backoff func(try int) time.Duration
	// Tries is after how many failed tries an event goes to OnPoison. Default 10.
	// A message that cannot be decoded goes there at once. Tries of programs that
	// were stopped count.
	Tries int
	// OnPoison takes what cannot be handled: store it and alert somebody. When it
	// succeeds the event is given up, and never delivered again to this consumer;
	// when it fails it is tried again. Without it, events are tried forever.
	OnPoison func(ctx context.Context, p Poison) error

	// OnReady is called once, when nothing that is published from then on will be missed.
	OnReady func()
	// Seen remembers what was handled. Default: the last 65536 names, in memory.
	Seen Seen
	// Logger hears of failed tries. Default: discarded. Contents are not logged.
	Logger *slog.Logger
}

// Poison is a message that cannot be handled.
type Poison struct {
	Message
	// Event or Notice is what it holds; both are nil when it cannot be decoded.
	Event  *Event
	Notice *Notice
	// Err is what the last try failed with.
	Err error
}

func (o Options) withDefaults() (Options, error) {
	if o.Bind && o.Durable == "" {
		return o, errors.New("client: Bind needs the name of the consumer in Durable")
	}
	if o.Concurrency < 0 || o.Tries < 0 || o.HandlerTimeout < 0 {
		return o, errors.New("client: a limit is negative")
	}
	if len(o.Subjects) == 0 {
		o.Subjects = []string{Filter{}.Payments()}
	}
	o.Concurrency = cmp.Or(o.Concurrency, 1)
	if o.Ordered {
		o.Concurrency = 1
	}
	o.HandlerTimeout = cmp.Or(o.HandlerTimeout, 30*time.Second)
	o.Tries = cmp.Or(o.Tries, 10)
	if o.Backoff == nil {
		o.Backoff = func(try int) time.Duration { return min(time.Second<<min(try-1, 20), 5*time.Minute) }
	}
	if o.OnReady == nil {
		o.OnReady = func() {}
	}
	if o.Seen == nil {
		o.Seen = NewMemory(1 << 16)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
