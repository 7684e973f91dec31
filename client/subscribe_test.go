package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/paynorm/paynorm/client"
	"github.com/paynorm/paynorm/internal/serve/servetest"
)

// patience bounds every wait in these tests; nothing is expected to take it.
const patience = 60 * time.Second

func connect(t *testing.T, url string) *nats.Conn {
	t.Helper()
	conn, err := client.ConnectNATS(url, client.NATSOptions{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// heard collects lines until there are enough of them.
type heard struct {
	mu    sync.Mutex
	lines []string
	want  int
	stop  context.CancelFunc
}

func (h *heard) add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lines = append(h.lines, line); len(h.lines) == h.want {
		h.stop()
	}
}

// subscribe runs until the handlers have added n lines.
func subscribe(t *testing.T, conn *nats.Conn, n int, o client.Options, handlers func(*heard) client.Handlers) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h := &heard{want: n, stop: cancel}
	if err := client.Subscribe(ctx, conn, o, handlers(h)); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines
}

// everything adds one line for each thing.
func everything(h *heard) client.Handlers {
	event := func(handler string) func(context.Context, *client.Event) error {
		return func(_ context.Context, e *client.Event) error {
			h.add(fmt.Sprintf("%s %s %s v%d", handler, e.GetProviderPaymentId(), e.StatusWord(), e.GetPaymentVersion()))
			return nil
		}
	}
	return client.Handlers{
		OnPayment: event("payment"), OnRefund: event("refund"), OnDispute: event("dispute"), OnProof: event("proof"), Default: event("default"),
		OnQuarantine: func(_ context.Context, n *client.Notice) error {
			h.add(fmt.Sprintf("quarantine %s %s", n.GetReason(), n.Header.Get("Paynorm-Reason")))
			return nil
		},
	}
}

var all = []string{client.Filter{}.Payments(), client.Filter{}.Observations(), client.Filter{}.Quarantine()}

func TestSubscriberHearsEverythingOfItsKind(t *testing.T) {
	for _, encoding := range []string{"protobuf", "json"} {
		t.Run(encoding, func(t *testing.T) {
			site := servetest.Start(t, map[string]any{"events": map[string]any{"encoding": encoding}})
			site.Clip(t, "p1", "CREATED", 1)
			site.Clip(t, "p1", "COMPLETED", 3)
			site.Clip(t, "p1", "COMPLETED", 3) // a repeat is no event
			site.Clip(t, "p1", "EXPIRED", 2)
			site.Clip(t, "p1", "NO_SUCH_STATUS", 4)
			got := subscribe(t, connect(t, site.NATS), 4, client.Options{Durable: "books", Subjects: all}, everything)
			want := []string{
				"payment p1 pending v1", "payment p1 paid v2", "payment p1 expired v0",
				"quarantine QUARANTINE_REASON_UNMAPPED unmapped",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSubscriptionStartsWhereItIsTold(t *testing.T) {
	site := servetest.Start(t, nil)
	for i := range 4 {
		site.Clip(t, fmt.Sprint("p", i+1), "COMPLETED", i)
	}
	conn := connect(t, site.NATS)
	subscribe(t, conn, 4, client.Options{Durable: "wait"}, everything) // now all are published
	tests := []struct {
		name  string
		start client.Start
		want  []string
	}{
		{"from the beginning", client.FromBeginning(), []string{"p1", "p2", "p3", "p4"}},
		{"after a cursor", client.AfterCursor(2), []string{"p3", "p4"}},
		{"after cursor 0", client.AfterCursor(0), []string{"p1", "p2", "p3", "p4"}},
		{"from a time", client.FromTime(time.Now().Add(-time.Hour)), []string{"p1", "p2", "p3", "p4"}},
	}
	for _, tt := range tests {
		got := subscribe(t, conn, len(tt.want), client.Options{Start: tt.start}, payments)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, cursor := range []int64{5, -1} {
		if err := client.Subscribe(t.Context(), conn, client.Options{Start: client.AfterCursor(cursor)}, client.Handlers{}); !errors.Is(err, client.ErrBeyond) {
			t.Errorf("after cursor %d: got %v, want %v", cursor, err, client.ErrBeyond)
		}
	}
	// One that exists goes on, whatever the start.
	site.Clip(t, "p5", "COMPLETED", 5)
	got := subscribe(t, conn, 1, client.Options{Durable: "wait", Start: client.AfterCursor(1)}, payments)
	if diff := cmp.Diff([]string{"p5"}, got); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

// payments adds the provider's ID of each payment.
func payments(h *heard) client.Handlers {
	return client.Handlers{OnPayment: func(_ context.Context, e *client.Event) error {
		h.add(e.GetProviderPaymentId())
		return nil
	}}
}

func TestFilterSelectsBySubject(t *testing.T) {
	site := servetest.Start(t, nil)
	site.Clip(t, "p1", "CREATED", 1)
	site.Clip(t, "p1", "COMPLETED", 2)
	site.Clip(t, "p2", "COMPLETED", 3)
	subjects := []string{client.Filter{Mode: "live", Provider: "clip", Merchant: "acme", Kind: "payment", Status: "paid"}.Payments()}
	got := subscribe(t, connect(t, site.NATS), 2, client.Options{Subjects: subjects}, everything)
	if diff := cmp.Diff([]string{"payment p1 paid v2", "payment p2 paid v1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFailedEventComesAgain(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		site := servetest.Start(t, nil)
		site.Clip(t, "p1", "COMPLETED", 1)
		site.Clip(t, "p2", "COMPLETED", 2)
		failures := 2
		o := client.Options{Durable: "books", Ordered: ordered, Backoff: func(int) time.Duration { return time.Millisecond }}
		got := subscribe(t, connect(t, site.NATS), 4, o, func(h *heard) client.Handlers {
			return client.Handlers{OnPayment: func(_ context.Context, e *client.Event) error {
				h.add(fmt.Sprintf("%s try %d", e.GetProviderPaymentId(), e.Try))
				if e.GetProviderPaymentId() == "p1" && failures > 0 {
					failures--
					return errors.New("the books are closed")
				}
				return nil
			}}
		})
		if ordered {
			if diff := cmp.Diff([]string{"p1 try 1", "p1 try 2", "p1 try 3", "p2 try 1"}, got); diff != "" {
				t.Errorf("ordered (-want +got):\n%s", diff)
			}
		} else if len(got) != 4 || failures != 0 {
			t.Errorf("got %q, want four tries", got)
		}
	}
}

func TestPoisonIsHandedOverAndGivenUp(t *testing.T) {
	site := servetest.Start(t, nil)
	site.Clip(t, "p1", "COMPLETED", 1)
	site.Clip(t, "p2", "COMPLETED", 2)
	conn := connect(t, site.NATS)
	refused := false
	o := client.Options{Durable: "books", Ordered: true, Tries: 2, Backoff: func(int) time.Duration { return time.Millisecond }}
	got := subscribe(t, conn, 5, o, func(h *heard) client.Handlers {
		return client.Handlers{OnPayment: func(_ context.Context, e *client.Event) error {
			h.add(fmt.Sprintf("%s try %d", e.GetProviderPaymentId(), e.Try))
			return errors.New("never")
		}}
	})
	// Without OnPoison it is tried forever.
	if diff := cmp.Diff([]string{"p1 try 1", "p1 try 2", "p1 try 3", "p1 try 4", "p1 try 5"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	o.Durable = "careful"
	h := &heard{}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h.want, h.stop = 3, cancel
	o.OnPoison = func(_ context.Context, p client.Poison) error {
		h.add(fmt.Sprintf("%s try %d: %v", p.Event.GetProviderPaymentId(), p.Try, p.Err))
		if !refused {
			refused = true
			return errors.New("the store is away")
		}
		return nil
	}
	fails := client.Handlers{Default: func(context.Context, *client.Event) error { return errors.New("never") }}
	if err := client.Subscribe(ctx, conn, o, fails); err != nil {
		t.Fatal(err)
	}
	want := []string{"p1 try 2: never", "p1 try 3: never", "p2 try 2: never"}
	if diff := cmp.Diff(want, h.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	for _, o := range []client.Options{{Bind: true}, {Concurrency: -1}, {Tries: -1}, {HandlerTimeout: -1}} {
		if err := client.Subscribe(t.Context(), nil, o, client.Handlers{}); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestBoundConsumerIsLeftAsItIs(t *testing.T) {
	site := servetest.Start(t, nil)
	conn := connect(t, site.NATS)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	config := jetstream.ConsumerConfig{Durable: "theirs", AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: "payments.v1.>", AckWait: 20 * time.Second}
	if _, err := js.CreateConsumer(t.Context(), client.Stream, config); err != nil {
		t.Fatal(err)
	}
	site.Clip(t, "p1", "COMPLETED", 1)
	o := client.Options{Durable: "theirs", Bind: true, Subjects: []string{"none"}}
	if diff := cmp.Diff([]string{"p1"}, subscribe(t, conn, 1, o, payments)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, o := range map[string]client.Options{
		"keeps no order": {Durable: "theirs", Bind: true, Ordered: true}, "not there": {Durable: "nobodys", Bind: true},
	} {
		if err := client.Subscribe(t.Context(), conn, o, client.Handlers{}); err == nil {
			t.Errorf("%s: bound", name)
		}
	}
}
