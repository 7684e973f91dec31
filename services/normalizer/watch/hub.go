// Package watch hands published events to those who watch. Who keeps up is
// served from memory; who does not reads from the view at its own pace, so that
// a slow watcher costs nothing but its own time.
package watch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

const (
	// keep is how many of the newest events stay in memory, at least.
	keep = 4096
	// pageSize is how many events are read from the view at once.
	pageSize = 500
	// heartbeat is how long a watcher hears nothing before it is told the cursor.
	heartbeat = 15 * time.Second
)

// ErrClosed says that the server is stopping; watch again from the last cursor.
var ErrClosed = errors.New("the server is stopping")

// Reader is what the hub needs of the query view.
type Reader interface {
	// EventsAfter returns events above cursor, oldest first.
	EventsAfter(ctx context.Context, cursor int64, f filter.Conditions, limit int) ([]*eventv1.PaymentStatusChanged, error)
}

// Hub is safe for concurrent use. One goroutine publishes.
type Hub struct {
	view   Reader
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	recent []*eventv1.PaymentStatusChanged // all events above from, in order; what was handed out is never overwritten
	from   int64
	head   int64
	wake   chan struct{} // closed when head moves
}

// NewHub returns a hub that knows of no events yet.
func NewHub(view Reader) *Hub {
	return &Hub{view: view, closed: make(chan struct{}), wake: make(chan struct{})}
}

// Publish tells of all events above the head so far up to and including head.
// The view must have them already.
func (h *Hub) Publish(events []*eventv1.PaymentStatusChanged, head int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent = append(h.recent, events...)
	if surplus := len(h.recent) - keep; surplus > keep {
		h.from = h.recent[surplus-1].GetCursor()
		h.recent = slices.Clone(h.recent[surplus:])
	}
	h.move(head)
}

// Reset tells that the view has everything up to and including head, whatever
// was published before.
func (h *Hub) Reset(head int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent, h.from = nil, head
	h.move(head)
}

func (h *Hub) move(head int64) {
	h.head = head
	close(h.wake)
	h.wake = make(chan struct{})
}

// Close ends all watches with ErrClosed.
func (h *Hub) Close() { h.once.Do(func() { close(h.closed) }) }

// Head returns the cursor of the newest message that was published.
func (h *Hub) Head() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// news is what there is above a cursor.
type news struct {
	events []*eventv1.PaymentStatusChanged // from memory
	head   int64                           // what events reach up to
	behind bool                            // memory does not reach back to the cursor
	wake   <-chan struct{}                 // closed when there is more
}

func (h *Hub) since(cursor int64) news {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := news{head: h.head, behind: cursor < h.from, wake: h.wake}
	if !n.behind {
		i, _ := slices.BinarySearchFunc(h.recent, cursor+1, func(e *eventv1.PaymentStatusChanged, c int64) int {
			return cmp.Compare(e.GetCursor(), c)
		})
		n.events = h.recent[i:len(h.recent):len(h.recent)]
	}
	return n
}

// Watch calls send with each event above after that f lets pass, in order,
// without a gap or a repeat, and with no event and the cursor reached when
// there was nothing to send for a while. It returns ctx's error, send's error,
// ErrClosed, or an error of the view.
func (h *Hub) Watch(ctx context.Context, after int64, f filter.Conditions, send func(e *eventv1.PaymentStatusChanged, cursor int64) error) error {
	silence := time.NewTimer(heartbeat)
	defer silence.Stop()
	for cursor := after; ; {
		n := h.since(cursor)
		sent, reached, err := h.deliver(ctx, cursor, n, f, send)
		if err != nil {
			return err
		}
		cursor = reached
		if sent {
			silence.Reset(heartbeat)
		}
		if n.behind {
			continue
		}
		select {
		case <-n.wake:
		case <-silence.C:
			if err := send(nil, cursor); err != nil {
				return err
			}
			silence.Reset(heartbeat)
		case <-ctx.Done():
			return ctx.Err()
		case <-h.closed:
			return ErrClosed
		}
	}
}

// deliver sends what n has, or a page of the view when n is too young, and
// returns the cursor that was reached.
func (h *Hub) deliver(ctx context.Context, cursor int64, n news, f filter.Conditions, send func(*eventv1.PaymentStatusChanged, int64) error) (sent bool, reached int64, err error) {
	events, reached := n.events, max(cursor, n.head)
	if n.behind {
		select {
		case <-h.closed:
			return false, cursor, ErrClosed
		default:
		}
		if events, err = h.view.EventsAfter(ctx, cursor, f, pageSize); err != nil {
			return false, cursor, err
		}
		// A full page may not reach n.head; a short one has all that the view had, at least up to it.
		if len(events) == pageSize {
			reached = events[pageSize-1].GetCursor()
		} else if len(events) > 0 {
			reached = max(reached, events[len(events)-1].GetCursor())
		}
	}
	for _, e := range events {
		if !n.behind && !f.Match(e) {
			continue
		}
		if err := send(e, e.GetCursor()); err != nil {
			return sent, cursor, err
		}
		sent = true
	}
	return sent, reached, nil
}
