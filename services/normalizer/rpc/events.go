package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/grpc"
)

// EventReader is what the event service reads from; see view.View.
type EventReader interface {
	Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error)
	Events(ctx context.Context, q view.Query) ([]*eventv1.PaymentStatusChanged, error)
	CursorAt(ctx context.Context, t time.Time) (int64, error)
}

// Watcher follows the events; see watch.Hub.
type Watcher interface {
	// Head returns the cursor of the newest message that is published.
	Head() int64
	// Await returns when the head has reached cursor, or after a moment an error
	// that wraps watch.ErrBeyond.
	Await(ctx context.Context, cursor int64) error
	// Watch calls send with the events after the cursor that f lets pass, in
	// order, and now and then with no event and the cursor reached. It returns
	// when ctx ends, when send fails, or when the hub is closed.
	Watch(ctx context.Context, after int64, f filter.Conditions, send func(e *eventv1.PaymentStatusChanged, cursor int64) error) error
}

// Extent knows which events are kept; see eventstream.Stream.
type Extent interface {
	// First returns the cursor of the oldest message that is kept.
	First(ctx context.Context) (int64, error)
}

// Events serves EventService.
type Events struct {
	normalizerv1.UnimplementedEventServiceServer
	reader   EventReader
	watcher  Watcher
	extent   Extent
	schema   filter.Schema
	patience time.Duration
}

// NewEvents returns the event service over reader, watcher and extent.
func NewEvents(reader EventReader, watcher Watcher, extent Extent) *Events {
	return &Events{reader: reader, watcher: watcher, extent: extent, schema: filter.Events(), patience: patience}
}

// GetEvent implements EventService.
func (s *Events) GetEvent(ctx context.Context, r *normalizerv1.GetEventRequest) (*eventv1.PaymentStatusChanged, error) {
	return s.reader.Event(ctx, r.GetName())
}

// ListEvents implements EventService.
func (s *Events) ListEvents(ctx context.Context, r *normalizerv1.ListEventsRequest) (*normalizerv1.ListEventsResponse, error) {
	conditions, err := parse(ctx, s.schema, r.GetFilter())
	if err != nil {
		return nil, err
	}
	before, err := pageStart("ListEvents", r.GetFilter(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	events, err := s.reader.Events(ctx, view.Query{Filter: conditions, Before: before, Limit: size + 1})
	if err != nil {
		return nil, err
	}
	page := &normalizerv1.ListEventsResponse{Events: events[:fit(events, size)]}
	if n := len(page.Events); n < len(events) {
		page.NextPageToken = nextPage("ListEvents", r.GetFilter(), events[n-1].GetCursor())
	}
	return page, nil
}

// WatchEvents implements EventService.
func (s *Events) WatchEvents(r *normalizerv1.WatchEventsRequest, stream grpc.ServerStreamingServer[normalizerv1.WatchEventsResponse]) error {
	conditions, err := parse(stream.Context(), s.schema, r.GetFilter())
	if err != nil {
		return err
	}
	after, err := s.start(stream.Context(), r)
	if err != nil {
		return err
	}
	// Tells the caller that it will miss nothing from here on, before there is an event.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	send, end := paced(s.patience, stream.Send)
	defer end()
	return s.watcher.Watch(stream.Context(), after, conditions, func(e *eventv1.PaymentStatusChanged, cursor int64) error {
		return send(&normalizerv1.WatchEventsResponse{Event: e, Cursor: cursor})
	})
}

// start returns the cursor after which r wants to watch.
func (s *Events) start(ctx context.Context, r *normalizerv1.WatchEventsRequest) (int64, error) {
	switch {
	case r.AfterCursor != nil && r.GetAfterTime() != nil:
		return 0, invalidField("after_time", "not together with after_cursor")
	case r.GetAfterTime() != nil:
		if err := r.GetAfterTime().CheckValid(); err != nil {
			return 0, invalidField("after_time", "not a time")
		}
		after, err := s.reader.CursorAt(ctx, r.GetAfterTime().AsTime())
		if err != nil {
			return 0, err
		}
		return after, s.kept(ctx, after)
	case r.AfterCursor == nil:
		return s.watcher.Head(), nil
	}
	if err := s.kept(ctx, r.GetAfterCursor()); err != nil {
		return 0, err
	}
	return r.GetAfterCursor(), s.watcher.Await(ctx, r.GetAfterCursor())
}

// kept refuses a cursor behind which messages are gone; 0 is whatever is kept.
// When the stream cannot be asked, the view has what is left to serve.
func (s *Events) kept(ctx context.Context, after int64) error {
	if first, err := s.extent.First(ctx); err == nil && after > 0 && after+1 < first {
		return fmt.Errorf("cursor %d: %w: the oldest message is %d", after, eventstream.ErrNotKept, first)
	}
	return nil
}

// parse reads a filter and narrows it to what the caller sees. Errors are INVALID_ARGUMENT with the position.
func parse(ctx context.Context, schema filter.Schema, text string) (filter.Conditions, error) {
	conditions, err := schema.Parse(text)
	var wrong *filter.Error
	if errors.As(err, &wrong) {
		return nil, invalidField("filter", wrong.Error())
	}
	return access.From(ctx).Narrow(conditions), err
}
