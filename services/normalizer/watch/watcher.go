package watch

import (
	"context"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// watcher is one call of Watch.
type watcher struct {
	hub     *Hub
	cursor  int64 // everything up to it was sent or did not pass the filter
	filter  filter.Conditions
	send    func(*eventv1.PaymentStatusChanged, int64) error
	silence *time.Timer
}

// next sends what comes next, a limited number of events. What it returns is
// closed when there may be more.
func (w *watcher) next(ctx context.Context) (more <-chan struct{}, err error) {
	var events [atOnce]*eventv1.PaymentStatusChanged
	h := w.hub
	h.mu.Lock()
	head, wake, behind := h.head, h.wake, w.cursor < h.recent.from
	n := 0
	if !behind {
		n = h.recent.after(w.cursor, events[:])
	}
	h.mu.Unlock()
	if behind {
		return h.now, w.fromView(ctx, head)
	}
	for i, e := range events[:n] {
		events[i] = nil // a client that stopped reading keeps only what it has not read
		if !w.filter.Match(e) {
			w.cursor = e.GetCursor()
			continue
		}
		if err := w.tell(e, e.GetCursor()); err != nil {
			return nil, err
		}
	}
	if n == len(events) {
		return h.now, nil
	}
	w.cursor = max(w.cursor, head)
	return wake, nil
}

// fromView sends a page of the view, which has everything up to head.
func (w *watcher) fromView(ctx context.Context, head int64) error {
	events, err := w.hub.view.EventsAfter(ctx, w.cursor, w.filter, atOnce)
	if err != nil {
		return err
	}
	full := len(events) == atOnce
	for i, e := range events {
		events[i] = nil
		if err := w.tell(e, e.GetCursor()); err != nil {
			return err
		}
	}
	if !full { // the page has all there is, at least up to head
		w.cursor = max(w.cursor, head)
	}
	return nil
}

// tell sends e, or only the cursor, and marks the end of a silence.
func (w *watcher) tell(e *eventv1.PaymentStatusChanged, cursor int64) error {
	if err := w.send(e, cursor); err != nil {
		return err
	}
	w.cursor = cursor
	w.silence.Reset(heartbeat)
	return nil
}
