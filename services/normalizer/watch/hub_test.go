package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// log is a hub over a real view, and what publishes to both as the projector does.
type log struct {
	*Hub
	t      testing.TB
	view   *view.View
	cursor int64
	events []*eventv1.PaymentStatusChanged
}

func newLog(t testing.TB, keep int) *log {
	t.Helper()
	v, err := view.Open(context.Background(), filepath.Join(t.TempDir(), "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	h := NewHub(v)
	h.recent.count = keep
	return &log{Hub: h, t: t, view: v}
}

// event makes the next event.
func (l *log) event() *eventv1.PaymentStatusChanged {
	l.cursor += 1 + int64(len(l.events)%3) // notices lie in between
	e := &eventv1.PaymentStatusChanged{Name: fmt.Sprint("events/", l.cursor), Cursor: l.cursor, Provider: "clip"}
	if len(l.events)%5 == 0 {
		e.Provider = "qitech"
	}
	l.events = append(l.events, e)
	return e
}

// apply brings events into the view only.
func (l *log) apply(events ...*eventv1.PaymentStatusChanged) {
	l.cursor++ // a notice
	if err := l.view.Apply(context.Background(), view.Batch{Cursor: l.cursor, Events: events}); err != nil {
		l.t.Error(err)
	}
}

// store brings n new events into the view only.
func (l *log) store(n int) []*eventv1.PaymentStatusChanged {
	var events []*eventv1.PaymentStatusChanged
	for range n {
		events = append(events, l.event())
	}
	l.apply(events...)
	return events
}

func (l *log) publish(n int) {
	events := l.store(n)
	l.Publish(events, l.cursor)
}

func (l *log) cursors(after int64, f filter.Conditions) (out []int64) {
	for _, e := range l.events {
		if e.GetCursor() > after && f.Match(e) {
			out = append(out, e.GetCursor())
		}
	}
	return out
}

func parse(t testing.TB, in string) filter.Conditions {
	t.Helper()
	c, err := filter.Events().Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNoGapAndNoRepeat lets watchers of all speeds start anywhere while events
// are published, with a memory so short that each goes back and forth between
// memory and view.
func TestNoGapAndNoRepeat(t *testing.T) {
	l := newLog(t, 100)
	l.store(150)
	l.Reset(l.cursor)
	errEnd := errors.New("the last event")
	type outcome struct {
		after         int64
		filter        filter.Conditions
		got, progress []int64 // the events; all cursors that were told
	}
	outcomes := make([]outcome, 24)
	var all sync.WaitGroup
	for i := range outcomes {
		o, r := &outcomes[i], rand.New(rand.NewPCG(uint64(i), 1))
		o.filter = parse(t, []string{"", "provider != clip", "provider != qitech"}[i%3])
		all.Go(func() {
			for range r.IntN(3000) { // starts at some moment
				runtime.Gosched()
			}
			o.after = r.Int64N(l.Head() + 1)
			err := l.Watch(t.Context(), o.after, o.filter, func(e *eventv1.PaymentStatusChanged, cursor int64) error {
				o.progress = append(o.progress, cursor)
				if e == nil {
					return nil
				}
				o.got = append(o.got, e.GetCursor())
				if e.GetProvider() == "end" {
					return errEnd
				}
				for range r.IntN(20) * (i % 4) { // reads at some speed
					runtime.Gosched()
				}
				return nil
			})
			if !errors.Is(err, errEnd) {
				t.Errorf("watcher %d: %v", i, err)
			}
		})
	}
	for i := range 60 {
		l.publish(1 + i*7%120)
		if i%20 == 19 { // the projector fails between view and hub, and recovers
			l.store(10)
			l.Reset(l.cursor)
		}
		runtime.Gosched()
	}
	last := l.event()
	last.Provider = "end"
	l.apply(last)
	l.Publish([]*eventv1.PaymentStatusChanged{last}, l.cursor)
	all.Wait()
	for i, o := range outcomes {
		if diff := cmp.Diff(l.cursors(o.after, o.filter), o.got); diff != "" {
			t.Errorf("watcher %d after %d (-want +got):\n%s", i, o.after, diff)
		}
		if !slices.IsSorted(o.progress) {
			t.Errorf("watcher %d: the cursor fell", i)
		}
	}
}

func TestEveryCursorIsAPlaceToStart(t *testing.T) {
	l := newLog(t, 4)
	for range 6 {
		l.publish(2)
	}
	if l.recent.from == 0 {
		t.Fatal("nothing was dropped from memory")
	}
	errEnd, last := errors.New("the last event"), l.events[len(l.events)-1].GetCursor()
	for after := range last {
		var got []int64
		err := l.Watch(t.Context(), after, nil, func(_ *eventv1.PaymentStatusChanged, cursor int64) error {
			got = append(got, cursor)
			if cursor == last {
				return errEnd
			}
			return nil
		})
		if diff := cmp.Diff(l.cursors(after, nil), got); diff != "" || !errors.Is(err, errEnd) {
			t.Errorf("after %d: %v (-want +got):\n%s", after, err, diff)
		}
	}
}

func TestASilentWatcherIsToldTheCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, 100)
		type told struct {
			at     time.Duration
			name   string
			cursor int64
		}
		var got []told
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			err := l.Watch(ctx, 0, parse(t, "provider = qitech"), func(e *eventv1.PaymentStatusChanged, cursor int64) error {
				got = append(got, told{time.Since(start), e.GetName(), cursor})
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Watch = %v", err)
			}
		})
		time.Sleep(20 * time.Second) // one heartbeat, at 15 s
		l.publish(1)                 // passes the filter; the next heartbeat follows 15 s later
		l.publish(4)                 // does not, but moves the cursor
		time.Sleep(30 * time.Second)
		cancel()
		done.Wait()
		want := []told{
			{15 * time.Second, "", 0},
			{20 * time.Second, l.events[0].GetName(), l.events[0].GetCursor()},
			{35 * time.Second, "", l.cursor},
			{50 * time.Second, "", l.cursor},
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{})); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestAClientThatStopsReadingHoldsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, 100)
		var blocked, reading []int64
		proceed := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		watch := func(into *[]int64, before func()) {
			done.Go(func() {
				_ = l.Watch(ctx, 0, nil, func(e *eventv1.PaymentStatusChanged, cursor int64) error {
					before()
					if e != nil {
						*into = append(*into, cursor)
					}
					return nil
				})
			})
		}
		watch(&blocked, func() { <-proceed })
		watch(&reading, func() {})
		synctest.Wait()
		for range 20 {
			l.publish(50)
			synctest.Wait() // the other one has read everything
			if len(reading) != len(l.events) {
				t.Fatalf("the reading client got %d of %d events", len(reading), len(l.events))
			}
			if n := len(l.recent.events) - l.recent.first; n > 100 {
				t.Fatalf("%d events are kept in memory, want at most 100", n)
			}
		}
		close(proceed)
		synctest.Wait()
		if diff := cmp.Diff(l.cursors(0, nil), blocked); diff != "" {
			t.Errorf("the other client, afterwards (-want +got):\n%s", diff)
		}
		cancel()
		done.Wait()
	})
}

func TestNothingIsKeptWhileNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, 100)
		kept := func() int { return len(l.recent.events) - l.recent.first }
		l.publish(50)
		if kept() != 0 {
			t.Errorf("%d events are kept, and nobody has come", kept())
		}
		var got []int64
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			_ = l.Watch(ctx, 0, nil, func(e *eventv1.PaymentStatusChanged, cursor int64) error {
				if e != nil {
					got = append(got, cursor)
				}
				return nil
			})
		})
		synctest.Wait()
		l.publish(50)
		synctest.Wait()
		if diff := cmp.Diff(l.cursors(0, nil), got); diff != "" {
			t.Errorf("who came late gets (-want +got):\n%s", diff)
		}
		if kept() != 50 {
			t.Errorf("%d events are kept for who watches, want 50", kept())
		}
		cancel()
		done.Wait()
		l.publish(1)
		if kept() != 0 {
			t.Errorf("%d events are kept, and all have gone", kept())
		}
	})
}

func TestMemoryIsBoundedByBytesToo(t *testing.T) {
	l := newLog(t, 100)
	l.watchers.Add(1) // somebody watches
	l.recent.bytes = 10 * proto.Size(&eventv1.PaymentStatusChanged{Name: "events/100", Cursor: 100, Provider: "qitech"})
	for range 30 {
		l.publish(7)
		if n := len(l.recent.events) - l.recent.first; n > 15 || n == 0 {
			t.Fatalf("%d events are kept in memory", n)
		}
	}
	large := l.event()
	large.ProviderStatus = string(make([]byte, 10_000))
	l.apply(large)
	l.Publish([]*eventv1.PaymentStatusChanged{large}, l.cursor)
	if n := len(l.recent.events) - l.recent.first; n != 0 || l.recent.size != 0 || l.recent.from != large.GetCursor() {
		t.Errorf("after an event that is too large, %d are kept from %d on", n, l.recent.from)
	}
}

func TestCloseEndsWatchesThatWaitAndThatRead(t *testing.T) {
	l := newLog(t, 100)
	l.publish(1000)
	var done sync.WaitGroup
	for after := range int64(4) {
		done.Go(func() {
			err := l.Watch(t.Context(), after*l.cursor/3, nil, func(*eventv1.PaymentStatusChanged, int64) error {
				l.Close()
				return nil
			})
			if !errors.Is(err, ErrClosed) {
				t.Errorf("Watch = %v, want ErrClosed", err)
			}
		})
	}
	done.Wait()
}

func TestWatchReturnsTheErrorOfTheView(t *testing.T) {
	l := newLog(t, 10)
	l.publish(100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Watch(ctx, 0, nil, func(*eventv1.PaymentStatusChanged, int64) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want the context's error", err)
	}
}

func TestAwaitWaitsForTheHubToHearOfAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, 100)
		go func() {
			time.Sleep(time.Second)
			l.publish(1)
			time.Sleep(900 * time.Millisecond)
			l.publish(1)
		}()
		if err := l.Await(t.Context(), 3); err != nil {
			t.Errorf("a cursor that is reached: %v", err)
		}
		start := time.Now()
		if err := l.Await(t.Context(), 1000); !errors.Is(err, ErrBeyond) || time.Since(start) != grace {
			t.Errorf("a cursor that is not reached: %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Await(ctx, 1000); !errors.Is(err, context.Canceled) {
			t.Errorf("a canceled call: %v", err)
		}
		l.Close()
		if err := l.Await(t.Context(), 1000); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed hub: %v", err)
		}
	})
}

// BenchmarkPublish measures what 1000 watchers cost whose filter nothing passes.
func BenchmarkPublish(b *testing.B) {
	l := newLog(b, 8192)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	for range 1000 {
		done.Go(func() {
			_ = l.Watch(ctx, 0, parse(b, "provider = none"), func(*eventv1.PaymentStatusChanged, int64) error { return nil })
		})
	}
	for b.Loop() {
		e := l.event()
		l.Publish([]*eventv1.PaymentStatusChanged{e}, e.GetCursor())
	}
	cancel()
	done.Wait()
}
