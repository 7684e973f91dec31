package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// How long Watch waits before it watches again, at least and at most.
const (
	shortestWait = 100 * time.Millisecond
	longestWait  = 10 * time.Second
)

// Watch returns the events that filter selects from start on, in the order of
// their cursors, and goes on with new ones until ctx ends; then the last error is
// that of ctx. When the server goes away or says that this program is too slow,
// it watches again after the last cursor, so that there is no gap and no repeat.
// Any other error is the last: among them OUT_OF_RANGE with the reason
// CURSOR_NOT_KEPT or CURSOR_OUT_OF_RANGE, and INVALID_ARGUMENT for the filter.
func (q *Queries) Watch(ctx context.Context, filter string, start Start) iter.Seq2[*eventv1.PaymentStatusChanged, error] {
	return func(yield func(*eventv1.PaymentStatusChanged, error) bool) {
		w := watch{queries: q, request: &normalizerv1.WatchEventsRequest{Filter: filter}, pause: shortestWait}
		err := w.begin(ctx, start)
		for {
			if err == nil {
				err = w.follow(ctx, yield)
			}
			if errors.Is(err, errStopped) {
				return
			}
			if err = w.again(ctx, err); err != nil {
				yield(nil, err)
				return
			}
			if w.request.AfterCursor == nil && w.request.GetAfterTime() == nil {
				err = w.begin(ctx, start)
			}
		}
	}
}

// errStopped says that the caller wants no more.
var errStopped = errors.New("stopped")

type watch struct {
	queries *Queries
	request *normalizerv1.WatchEventsRequest
	pause   time.Duration // before the next try
}

// begin sets where to start. From now on means after the newest event: with its
// cursor, the watch can be resumed although it has not seen an event yet.
func (w *watch) begin(ctx context.Context, start Start) error {
	switch start.from {
	case beginning:
		w.request.AfterCursor = new(int64)
	case afterCursor:
		w.request.AfterCursor = &start.cursor
	case atTime:
		w.request.AfterTime = timestamppb.New(start.time)
	case now:
		newest, err := w.queries.events.ListEvents(ctx, &normalizerv1.ListEventsRequest{PageSize: 1})
		if err != nil {
			return err
		}
		cursor := int64(0)
		for _, e := range newest.GetEvents() {
			cursor = e.GetCursor()
		}
		w.request.AfterCursor = &cursor
	}
	return nil
}

// follow yields events until the stream ends.
func (w *watch) follow(ctx context.Context, yield func(*eventv1.PaymentStatusChanged, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	events, err := w.queries.events.WatchEvents(ctx, w.request)
	if err != nil {
		return err
	}
	for {
		m, err := events.Recv()
		if err != nil {
			return err
		}
		cursor := m.GetCursor()
		w.request.AfterCursor, w.request.AfterTime = &cursor, nil
		w.pause = shortestWait
		if e := m.GetEvent(); e != nil && !yield(e, nil) {
			return errStopped
		}
	}
}

// again waits before the next try, or returns why there is none.
func (w *watch) again(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch status.Code(cause) {
	case codes.Unavailable, codes.ResourceExhausted, codes.Aborted:
	default:
		if !errors.Is(cause, io.EOF) {
			return cause
		}
	}
	pause := w.pause
	w.pause = min(2*w.pause, longestWait)
	return w.queries.wait(ctx, pause/2+rand.N(pause/2)) // many clients shall not come back at once
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
