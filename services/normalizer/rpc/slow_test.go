package rpc_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// bulk publishes events from cursor first on, n of them, of about 4 KiB each.
func (w *world) bulk(first, n int64) {
	w.t.Helper()
	events := make([]*eventv1.PaymentStatusChanged, n)
	for i := range n {
		events[i] = event(first + i)
		events[i].ProviderStatus = strings.Repeat("x", 4<<10)
	}
	w.publish(events...)
}

// watching opens a watch from now on and returns when it watches.
func watching(t *testing.T, conn grpc.ClientConnInterface) grpc.ServerStreamingClient[normalizerv1.WatchEventsResponse] {
	t.Helper()
	stream, err := normalizerv1.NewEventServiceClient(conn).WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{})
	if err == nil {
		_, err = stream.Header()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestAWatcherThatDoesNotReadIsToldSoAndResumes(t *testing.T) {
	w := newWorld(t)
	w.events.SetPatience(20 * time.Millisecond)
	stream := watching(t, w.conn)
	w.bulk(1, 1000)
	var log strings.Builder
	for until := time.After(time.Minute); !strings.Contains(log.String(), "code=ResourceExhausted"); {
		log.WriteString(w.log.Take())
		select {
		case <-until:
			t.Fatalf("the watch goes on; log:\n%s", log.String())
		case <-time.After(time.Millisecond):
		}
	}
	var last int64
	for {
		m, err := stream.Recv()
		if err != nil {
			want := failure{Code: codes.ResourceExhausted, Reason: "WATCHER_TOO_SLOW", Message: "the watcher reads too slowly; watch again from the last cursor"}
			if got := failureOf(err); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the watch ends with %+v, want %+v", got, want)
			}
			break
		}
		if m.GetCursor() != last+1 {
			t.Fatalf("event %d comes after %d", m.GetCursor(), last)
		}
		last = m.GetCursor()
	}
	if last == 0 || last == 1000 {
		t.Fatalf("%d of 1000 events were in the buffers", last)
	}
	w.events.SetPatience(time.Minute)
	again, err := normalizerv1.NewEventServiceClient(w.conn).WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(last)})
	if err != nil {
		t.Fatal(err)
	}
	for last < 1000 {
		m, err := again.Recv()
		if err != nil || m.GetCursor() != last+1 {
			t.Fatalf("after %d comes %v, %v", last, m.GetCursor(), err)
		}
		last++
	}
}

// memory is what the process uses, in bytes: heap and stacks.
func memory() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func TestWatchersThatNeverReadCostBoundedMemory(t *testing.T) {
	w := newWorld(t)
	const watchers, each, limit = 10, 1 << 20, 4 << 20
	cursor := int64(1)
	publish := func(n int64) {
		for until := cursor + n; cursor < until; cursor += 500 {
			w.bulk(cursor, 500)
		}
	}
	reading := watching(t, w.conn)
	var read sync.WaitGroup
	read.Go(func() {
		for {
			if m, err := reading.Recv(); err != nil || m.GetCursor() > 4500 {
				return
			}
		}
	})
	publish(4600) // fills what the hub keeps for those who keep up
	read.Wait()
	before := memory()
	for range watchers {
		watching(t, w.conn)
	}
	publish(3000) // 12 MiB for each of them
	if grown := memory() - before; grown > watchers*each+limit {
		t.Errorf("%d watchers that do not read cost %d KiB, want at most %d KiB each", watchers, grown>>10, each>>10)
	}
}

// What is measured holds the clients as well, and under the race detector larger
// stacks: both ends took 80 MiB without it.
func TestAThousandIdleWatchersAreCheap(t *testing.T) {
	const watchers, limit = 1000, 150 << 20
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.server.Serve(l) }) // ends when the server stops
	t.Cleanup(func() {
		w.server.Stop()
		serving.Wait()
	})
	before := memory()
	for range watchers {
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithReadBufferSize(0), grpc.WithWriteBufferSize(0)) // so that little of it is the client's
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		watching(t, conn)
	}
	grown := memory() - before
	t.Logf("%d watchers with a connection each cost %d KiB, both ends", watchers, grown>>10)
	if grown > limit {
		t.Errorf("%d watchers cost %d KiB, want at most %d", watchers, grown>>10, limit>>10)
	}
}
