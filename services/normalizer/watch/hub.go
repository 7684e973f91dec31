// Package watch hands published events to those who watch. Who keeps up is
// served from memory; who does not reads from the view at its own pace, so that
// a slow watcher costs nothing but its own time.
package watch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

const (
	// atOnce is how many events a watcher holds at once, from memory or from
	// the view. It bounds what a client that stopped reading keeps alive.
	atOnce = 64
	// heartbeat is how long a watcher hears nothing before it is told the cursor.
	heartbeat = 15 * time.Second
	// grace is how long a cursor beyond the head is waited for: the stream and
	// the view have an event a moment before the hub is told.
	grace = 2 * time.Second
)

var (
	// ErrClosed says that the server is stopping; watch again from the last cursor.
	ErrClosed = errors.New("the server is stopping")
	// ErrBeyond says that a cursor is beyond the last event.
	ErrBeyond = errors.New("the cursor is beyond the last event")
)

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
	now    chan struct{} // always closed: what a watcher waits for that has more to read

	mu     sync.Mutex
	recent recent
	head   int64
	wake   chan struct{} // closed when head moves

	watchers atomic.Int64
}

// NewHub returns a hub that knows of no events yet.
func NewHub(view Reader) *Hub {
	h := &Hub{view: view, closed: make(chan struct{}), now: make(chan struct{}), wake: make(chan struct{})}
	h.recent = recent{limits: limits{count: 2048, bytes: 8 << 20}}
	close(h.now)
	return h
}

// Publish tells of all events above the head so far up to and including head.
// The view must have them already. The events must not be changed afterwards.
// While nobody watches none is kept: who comes later begins in the view.
func (h *Hub) Publish(events []*eventv1.PaymentStatusChanged, head int64) {
	if h.watchers.Load() == 0 {
		h.Reset(head)
		return
	}
	h.move(head, func() { h.recent.add(events) })
}

// Reset tells that the view has everything up to and including head, whatever
// was published before.
func (h *Hub) Reset(head int64) {
	h.move(head, func() { h.recent = recent{limits: h.recent.limits, from: head} })
}

func (h *Hub) move(head int64, change func()) {
	h.mu.Lock()
	change()
	h.head = head
	wake := h.wake
	h.wake = make(chan struct{})
	h.mu.Unlock()
	close(wake) // outside of the lock, which all who wake need
}

// Close ends all watches with ErrClosed.
func (h *Hub) Close() { h.once.Do(func() { close(h.closed) }) }

// Watchers returns how many calls of Watch there are.
func (h *Hub) Watchers() int64 { return h.watchers.Load() }

// Head returns the cursor of the newest message that was published.
func (h *Hub) Head() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// Await returns when the head has reached cursor. Errors: ErrBeyond when it
// does not within two seconds, ErrClosed, ctx's error.
func (h *Hub) Await(ctx context.Context, cursor int64) error {
	var late <-chan time.Time
	for {
		h.mu.Lock()
		head, wake := h.head, h.wake
		h.mu.Unlock()
		if cursor <= head {
			return nil
		}
		if late == nil {
			late = time.After(grace)
		}
		select {
		case <-wake:
		case <-late:
			return ErrBeyond
		case <-ctx.Done():
			return ctx.Err()
		case <-h.closed:
			return ErrClosed
		}
	}
}

// Watch calls send with each event above after that f lets pass, in order,
// without a gap or a repeat, and with no event and the cursor reached when
// there was nothing to send for 15 s. It returns ctx's error, send's error,
// ErrClosed, or an error of the view.
func (h *Hub) Watch(ctx context.Context, after int64, f filter.Conditions, send func(e *eventv1.PaymentStatusChanged, cursor int64) error) error {
	h.watchers.Add(1)
	defer h.watchers.Add(-1)
	w := watcher{hub: h, cursor: after, filter: f, send: send, silence: time.NewTimer(heartbeat)}
	defer w.silence.Stop()
	for {
		wake, err := w.next(ctx)
		if err != nil {
			return err
		}
		select {
		case <-h.closed:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		case <-w.silence.C:
			if err := w.tell(nil, w.cursor); err != nil {
				return err
			}
		case <-wake:
		}
	}
}
