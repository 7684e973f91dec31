package rpc

import (
	"errors"
	"time"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// patience is how long a watcher may take to make room for one message.
const patience = 30 * time.Second

// errTooSlow says that a watcher did not make room in time. What it has not read
// is in the bounded buffers of its stream.
var errTooSlow = errors.New("the watcher reads too slowly")

// sender sends one message of a watch. It waits while the client has no room.
type sender func(*normalizerv1.WatchEventsResponse) error

// paced returns a sender that waits for limit and then gives up with errTooSlow,
// and what ends it. gRPC cannot take back a message that waits; a goroutine
// waits for it, and goes when the call has returned and its stream is closed.
func paced(limit time.Duration, send sender) (sender, func()) {
	messages, sent := make(chan *normalizerv1.WatchEventsResponse), make(chan error, 1)
	go func() {
		for m := range messages {
			sent <- send(m)
		}
	}()
	timer := time.NewTimer(limit)
	timer.Stop()
	return func(m *normalizerv1.WatchEventsResponse) error {
		messages <- m
		timer.Reset(limit)
		defer timer.Stop()
		select {
		case err := <-sent:
			return err
		case <-timer.C:
			return errTooSlow
		}
	}, func() { close(messages) }
}
