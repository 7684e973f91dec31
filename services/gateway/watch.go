package gateway

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// messageTimeout is how long a client may take to read one message of a stream.
const messageTimeout = 30 * time.Second

// reconnect tells a browser how long to wait before it connects again, in ms.
const reconnect = "retry: 2000\n\n"

// watch streams events until the client or the service ends it.
func (g *Gateway) watch(a *answer, r *http.Request, query url.Values) {
	s := &stream{answer: a, contentType: "application/x-ndjson"}
	accept := ""
	if wantsEventStream(r.Header.Values("Accept")) {
		s.contentType, accept = eventStream, eventStream
	}
	resume(query, r.Header.Get("Last-Event-ID"))
	ctx, end := g.untilStop(r.Context())
	defer end()
	g.reads.ServeHTTP(s, readRequest(ctx, r.Method, watchPath, query, accept))
}

// errStopping is why the edge ends a watch.
var errStopping = errors.New("the edge is stopping")

// EndWatches ends all watches, and those that still come, and tells their clients what
// a service that stops tells them. Other requests go on.
func (g *Gateway) EndWatches() { g.stop() }

// untilStop returns a context of a watch, which ends with ctx, or for errStopping.
func (g *Gateway) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	forget := context.AfterFunc(g.stopping, func() { end(errStopping) })
	return ctx, func() {
		forget()
		end(nil)
	}
}

// wantsEventStream reports whether an Accept header names text/event-stream.
// grpc-gateway only knows an Accept that is exactly equal.
func wantsEventStream(accept []string) bool {
	for _, list := range accept {
		for item := range strings.SplitSeq(list, ",") {
			mediaType, params, err := mime.ParseMediaType(item)
			q, weighed := params["q"]
			refused := weighed && strings.Trim(q, "0.") == "" // q=0, q=0.0
			if err == nil && mediaType == eventStream && !refused {
				return true
			}
		}
	}
	return false
}

// resume goes on after the last event that the client has seen. A cursor or a
// time in the query is where it began; a browser repeats that query whenever it
// reconnects, and must not get everything again.
func resume(query url.Values, lastEventID string) {
	if lastEventID == "" {
		return
	}
	for _, start := range []string{"after_cursor", "afterCursor", "after_time", "afterTime"} {
		query.Del(start)
	}
	query.Set("after_cursor", lastEventID)
}

// stream is the answer of a watch.
type stream struct {
	*answer
	contentType string
}

// Write gives the client messageTimeout for each message, so that one that
// stopped reading does not hold its stream forever.
func (s *stream) Write(b []byte) (int, error) {
	s.deadline(messageTimeout)
	return s.answer.Write(b)
}

// openStream begins the answer as soon as the service has accepted the watch,
// so that a client sees it although no event may come for long.
func openStream(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	s, ok := w.(*stream)
	if !ok || m != nil {
		return nil
	}
	h := s.Header()
	h.Set("Content-Type", s.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // nginx would hold messages back
	s.deadline(messageTimeout)
	s.WriteHeader(http.StatusOK)
	if s.contentType == eventStream {
		if _, err := io.WriteString(s, reconnect); err != nil {
			return err
		}
	}
	return http.NewResponseController(s).Flush()
}

// watchClient finds out whether a watch is accepted before the answer begins:
// grpc-gateway writes errors of a stream that has begun in its own form.
type watchClient struct {
	normalizerv1.EventServiceClient
}

// WatchEvents returns after the service has sent headers or a first message, or
// with the error that it refuses the watch with.
func (c watchClient) WatchEvents(ctx context.Context, in *normalizerv1.WatchEventsRequest, opts ...grpc.CallOption) (normalizerv1.EventService_WatchEventsClient, error) {
	events, err := c.EventServiceClient.WatchEvents(ctx, in, opts...)
	if err != nil {
		return nil, ended(ctx, err)
	}
	events = endable{events}
	md, err := events.Header()
	if err != nil {
		return nil, ended(ctx, err)
	}
	if md != nil {
		return events, nil
	}
	// No headers: the stream is over, and only its end says why.
	first, err := events.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &begun{EventService_WatchEventsClient: events, first: first, err: err}, nil
}

// endable is a stream that says why when the edge has ended it.
type endable struct {
	normalizerv1.EventService_WatchEventsClient
}

// Recv returns the next message.
func (e endable) Recv() (*normalizerv1.WatchEventsResponse, error) {
	m, err := e.EventService_WatchEventsClient.Recv()
	return m, ended(e.Context(), err)
}

// ended returns what a watch ends with. gRPC knows that a call was canceled, and not why.
func ended(ctx context.Context, err error) error {
	if status.Code(err) == codes.Canceled && errors.Is(context.Cause(ctx), errStopping) {
		return stopping()
	}
	return err
}

// begun is a stream whose first message was taken already.
type begun struct {
	normalizerv1.EventService_WatchEventsClient
	first *normalizerv1.WatchEventsResponse
	err   error
}

// Recv returns the first message once, then the others.
func (b *begun) Recv() (*normalizerv1.WatchEventsResponse, error) {
	if b.err != nil {
		return nil, b.err
	}
	if first := b.first; first != nil {
		b.first = nil
		return first, nil
	}
	return b.EventService_WatchEventsClient.Recv()
}
