package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

type watchServer = normalizerv1.EventService_WatchEventsServer

// twoMessages sends an event and a heartbeat and ends.
func twoMessages(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
	if err := w.Send(&normalizerv1.WatchEventsResponse{Event: paid(), Cursor: 7}); err != nil {
		return err
	}
	return w.Send(&normalizerv1.WatchEventsResponse{Cursor: 9})
}

const (
	twoLines  = `{"event":` + paidJSON + `,"cursor":"7"}` + "\n" + `{"cursor":"9"}` + "\n"
	twoEvents = "retry: 2000\n\nid: 7\nevent: event\ndata: {\"event\":" + paidJSON + ",\"cursor\":\"7\"}\n\n" +
		"id: 9\nevent: heartbeat\ndata: {\"cursor\":\"9\"}\n\n"
)

func watching(t *testing.T, s *reads, query, headers string) answered {
	t.Helper()
	return send(t, serve(t, gateway.Options{Reads: dialReads(t, s)}), "GET /v1/events:watch"+query+" HTTP/1.1\r\nHost: x\r\n"+headers+"\r\n")
}

func TestWatchIsLinesOrServerSentEvents(t *testing.T) {
	for _, c := range []struct {
		name, headers  string
		wantType, want string
	}{
		{"no Accept", "", "application/x-ndjson", twoLines},
		{"anything", "Accept: */*\r\n", "application/x-ndjson", twoLines},
		{"JSON", "Accept: application/json\r\n", "application/x-ndjson", twoLines},
		{"event stream refused", "Accept: text/event-stream;q=0.0, */*\r\n", "application/x-ndjson", twoLines},
		{"event stream as body type", "Content-Type: text/event-stream\r\n", "application/x-ndjson", twoLines},
		{"event stream", "Accept: text/event-stream\r\n", "text/event-stream", twoEvents},
		{"event stream in other letters", "Accept: Text/Event-Stream\r\n", "text/event-stream", twoEvents},
		{"event stream among others", "Accept: application/json;q=0.5, text/event-stream ; q=0.9\r\n", "text/event-stream", twoEvents},
		{"event stream in a second line", "Accept: text/html\r\nAccept: text/event-stream\r\n", "text/event-stream", twoEvents},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := watching(t, &reads{watch: twoMessages}, "", c.headers)
			if a.status != 200 || a.body != c.want {
				t.Errorf("got %d %s\nwant %s", a.status, a.body, c.want)
			}
			if got := a.header.Get("Content-Type"); got != c.wantType {
				t.Errorf("got Content-Type %q, want %q", got, c.wantType)
			}
			if got := a.header.Get("Cache-Control"); got != "no-cache" {
				t.Errorf("got Cache-Control %q", got)
			}
		})
	}
}

func TestWatchPathMayBeEscaped(t *testing.T) {
	s := reads{watch: twoMessages}
	a := get(t, serve(t, gateway.Options{Reads: dialReads(t, &s)}), "/v1/events%3Awatch")
	if a.status != 200 || a.body != twoLines {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestWatchResumes(t *testing.T) {
	after := func(cursor int64) *normalizerv1.WatchEventsRequest {
		return &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(cursor)}
	}
	for _, c := range []struct {
		name, query, headers string
		want                 *normalizerv1.WatchEventsRequest
	}{
		{"from now on", "", "", &normalizerv1.WatchEventsRequest{}},
		{"from the first", "?after_cursor=0", "", after(0)},
		{"after the last event seen", "", "Last-Event-ID: 42\r\n", after(42)},
		{"a browser that reconnects does not begin again", "?after_cursor=0", "Last-Event-ID: 42\r\n", after(42)},
		{"nor with JSON names", "?afterCursor=0", "Last-Event-ID: 42\r\n", after(42)},
		{"a cursor counts until something was seen", "?after_cursor=5", "Last-Event-ID:\r\n", after(5)},
		{"a start time has done its work", "?after_time=2026-01-01T00:00:00Z", "Last-Event-ID: 42\r\n", after(42)},
		{"nothing seen yet", "?after_time=1970-01-01T00:00:01Z", "Last-Event-ID:\r\n", &normalizerv1.WatchEventsRequest{AfterTime: &timestamppb.Timestamp{Seconds: 1}}},
		{"with a filter", "?filter=provider%3D%22clip%22", "Last-Event-ID: 42\r\n", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(42), Filter: `provider="clip"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := reads{watch: twoMessages}
			if a := watching(t, &s, c.query, "Accept: text/event-stream\r\n"+c.headers); a.status != 200 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if diff := cmp.Diff(c.want, s.asked, protocmp.Transform()); diff != "" {
				t.Errorf("request differs (-want +got):\n%s", diff)
			}
		})
	}
	var s reads
	if a := watching(t, &s, "", "Last-Event-ID: x\r\n"); a.status != 400 || s.asked != nil {
		t.Errorf("an ID that is no cursor: got %d, want 400", a.status)
	}
}

func TestWatchThatIsRefusedIsAProblem(t *testing.T) {
	refuse := func(code codes.Code) func(*normalizerv1.WatchEventsRequest, watchServer) error {
		return func(*normalizerv1.WatchEventsRequest, watchServer) error { return status.Error(code, "says why") }
	}
	for _, accept := range []string{"", "Accept: text/event-stream\r\n"} {
		a := watching(t, &reads{watch: refuse(codes.OutOfRange)}, "", accept)
		want := `{"type":"about:blank","title":"Bad Request","status":400,"detail":"says why"}`
		if a.status != 400 || a.body != want || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("got %d %v %s, want %s", a.status, a.header, a.body, want)
		}
		a = watching(t, &reads{watch: refuse(codes.Unavailable)}, "", accept)
		want = `{"type":"about:blank","title":"Service Unavailable","status":503}`
		if a.status != 503 || a.body != want || a.header.Get("Retry-After") != "1" {
			t.Errorf("got %d %v %s, want %s", a.status, a.header, a.body, want)
		}
	}
}

func TestWatchThatBreaksSaysSoInTheStream(t *testing.T) {
	breaks := func(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
		if err := w.Send(&normalizerv1.WatchEventsResponse{Cursor: 9}); err != nil {
			return err
		}
		return status.Error(codes.Unavailable, "inside")
	}
	const problem = `{"type":"about:blank","title":"Service Unavailable","status":503}`
	a := watching(t, &reads{watch: breaks}, "", "")
	if want := "{\"cursor\":\"9\"}\n{\"error\":" + problem + "}\n"; a.status != 200 || a.body != want {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}
	a = watching(t, &reads{watch: breaks}, "", "Accept: text/event-stream\r\n")
	if want := "retry: 2000\n\nid: 9\nevent: heartbeat\ndata: {\"cursor\":\"9\"}\n\nevent: problem\ndata: " + problem + "\n\n"; a.status != 200 || a.body != want {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}
}

func TestWatchThatEndsAtOnceIsEmpty(t *testing.T) {
	a := watching(t, &reads{watch: func(*normalizerv1.WatchEventsRequest, watchServer) error { return nil }}, "", "")
	if a.status != 200 || a.body != "" || a.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("got %+v", a)
	}
}

// The answer begins before any event, and each message comes without waiting
// for the next.
func TestWatchIsFlushedForEachMessage(t *testing.T) {
	next := make(chan struct{})
	s := reads{watch: func(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
		if err := w.SendHeader(metadata.MD{}); err != nil {
			return err
		}
		for range next {
			if err := w.Send(&normalizerv1.WatchEventsResponse{Cursor: 9}); err != nil {
				return err
			}
		}
		return nil
	}}
	h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
	r, err := http.Get(h.URL + "/v1/events:watch") // returns with the headers
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, r.Body)
	lines := bufio.NewReader(r.Body)
	for range 3 {
		next <- struct{}{}
		if got, err := lines.ReadString('\n'); got != "{\"cursor\":\"9\"}\n" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	close(next)
	if rest, err := io.ReadAll(lines); len(rest) != 0 || err != nil {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// flushed is a recorder that tells when something of the answer is on its way.
type flushed struct {
	*httptest.ResponseRecorder
	told chan struct{}
}

// Flush implements http.Flusher.
func (f flushed) Flush() { f.told <- struct{}{} }

// A stopping edge says the same as a stopping service: watch again. That is not what is
// said of a client that went away.
func TestWatchSaysWhoEndedIt(t *testing.T) {
	const (
		stopping = `{"type":"about:blank","title":"Service Unavailable","status":503,"reason":"STOPPING","domain":"paynorm.dev"}`
		canceled = `{"type":"about:blank","title":"Client Closed Request","status":499,"detail":"context canceled"}`
	)
	for _, c := range []struct {
		name, accept string
		gone         bool // the client, while the edge goes on
		want         string
	}{
		{"the edge stops", "", false, "{\"error\":" + stopping + "}\n"},
		{"the edge stops, server-sent events", "text/event-stream", false, "retry: 2000\n\nevent: problem\ndata: " + stopping + "\n\n"},
		{"the client goes", "", true, "{\"error\":" + canceled + "}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			connection := dialReads(t, &reads{watch: untilItsEnd})
			g, err := gateway.New(gateway.Options{Webhooks: connection, Reads: connection, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			watch := func() flushed {
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events:watch", nil)
				r.Header.Set("Accept", c.accept)
				w := flushed{httptest.NewRecorder(), make(chan struct{}, 8)}
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					g.Handler().ServeHTTP(w, r)
				}()
				select {
				case <-w.told:
				case <-ended:
				}
				if c.gone {
					leave()
				} else {
					g.EndWatches()
				}
				<-ended
				return w
			}
			if w := watch(); w.Code != 200 || w.Body.String() != c.want {
				t.Errorf("got %d %s\nwant %s", w.Code, w.Body, c.want)
			}
			if c.gone {
				return
			}
			if w := watch(); !strings.Contains(w.Body.String(), stopping) {
				t.Errorf("a watch that comes later: got %d %s", w.Code, w.Body)
			}
		})
	}
}

// untilItsEnd accepts a watch and sends nothing until it is over.
func untilItsEnd(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
	if err := w.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	<-w.Context().Done()
	return w.Context().Err()
}

func TestWatchEndsWhenTheClientGoes(t *testing.T) {
	ended := make(chan struct{})
	s := reads{watch: func(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
		defer close(ended)
		return untilItsEnd(nil, w)
	}}
	h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/v1/events:watch", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, a.Body)
	cancel()
	<-ended
}

// ReadTimeout is for what a sender sends; a watch must outlive it.
func TestWatchOutlivesTheReadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := reads{watch: func(_ *normalizerv1.WatchEventsRequest, w watchServer) error {
			for range 3 {
				time.Sleep(time.Hour) // on the test's clock
				if err := w.Send(&normalizerv1.WatchEventsResponse{Cursor: 9}); err != nil {
					return err
				}
			}
			return nil
		}}
		connection := dialReads(t, &s)
		c := onPipe(t, gateway.Options{Webhooks: connection, Reads: connection, ReadTimeout: time.Second})
		if _, err := io.WriteString(c, "GET /v1/events:watch HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if a := receive(t, c); a.status != 200 || strings.Count(a.body, "\n") != 3 {
			t.Errorf("got %d %s", a.status, a.body)
		}
	})
}
