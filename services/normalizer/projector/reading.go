package projector

import (
	"context"
	"fmt"

	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

// reading reads and decodes the event stream ahead of who uses it. It belongs to
// one goroutine, which closes it.
type reading struct {
	portions chan []eventstream.Message
	failed   chan error
	stop     context.CancelFunc
}

// readAhead reads the messages after a cursor up to and including last, portions
// of them before anybody asks.
func readAhead(ctx context.Context, s *eventstream.Stream, after, last int64, portions int) *reading {
	ctx, stop := context.WithCancel(ctx)
	r := &reading{portions: make(chan []eventstream.Message, portions), failed: make(chan error, 1), stop: stop}
	go func() {
		defer close(r.portions)
		if after >= last {
			return
		}
		err := s.ReadAfter(ctx, after, last, func(m []eventstream.Message) error {
			select {
			case r.portions <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			r.failed <- err
		}
	}()
	return r
}

// next returns some messages, none at the end.
func (r *reading) next() ([]eventstream.Message, error) {
	if portion, ok := <-r.portions; ok {
		return portion, nil
	}
	select {
	case err := <-r.failed:
		return nil, fmt.Errorf("read the event stream: %w", err)
	default:
		return nil, nil
	}
}

// atLeast returns n messages or a few more, or what is left.
func (r *reading) atLeast(n int) (all []eventstream.Message, err error) {
	for len(all) < n {
		portion, err := r.next()
		if err != nil || portion == nil {
			return all, err
		}
		all = append(all, portion...)
	}
	return all, nil
}

func (r *reading) close() {
	r.stop()
	for range r.portions { // until the reading has ended
	}
}
