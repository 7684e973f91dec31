package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/verify"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/singleview"
	"google.golang.org/protobuf/proto"
)

// world is what was sent and what is there. The cases break one thing of it.
type world struct {
	outcomes   []load.Outcome
	deliveries [][]byte
	events     []message
}

type message struct {
	subject  string
	sequence uint64
	event    *eventv1.PaymentStatusChanged
}

func source() *webhook.Source { return webhook.New(7, to, 0) }

var to = webhook.Target{Merchants: []string{"acme"}}

// intact is a run of 2000 deliveries that is as it must be: delivery 3 was sent
// twice and stored twice, 4 was sent three times and stored once, 5 and 6 were
// sent and never acknowledged, and only 5 is stored.
func intact() world {
	var w world
	version := map[string]int64{}
	for seq := range uint64(2000) {
		o := load.Outcome{Attempts: 1, Acknowledged: true}
		copies := 1
		switch seq {
		case 3:
			o.Attempts, copies = 2, 2
		case 4:
			o.Attempts = 3
		case 5:
			o.Acknowledged = false
		case 6:
			o.Acknowledged, copies = false, 0
		}
		w.outcomes = append(w.outcomes, o)
		body := source().AppendBody(nil, seq)
		for range copies {
			w.deliveries = append(w.deliveries, body)
		}
		if copies == 0 {
			continue
		}
		_, payment, _ := strings.Cut(string(body), `"payment_request_id": "`)
		_, attempt, _ := strings.Cut(string(body), `"transaction_id": "`)
		_, status, _ := strings.Cut(string(body), `"resource_status": "`)
		status, _, _ = strings.Cut(status, `"`)
		version[payment[:36]]++
		n := uint64(len(w.events)) + 1
		w.events = append(w.events, message{"payments.v1.live.clip.acme.payment.paid", n, &eventv1.PaymentStatusChanged{
			Merchant: "acme", Payment: "payments/" + payment[:36], ProviderPaymentId: payment[:36], ProviderAttemptId: attempt[:36], ProviderStatus: status,
			PaymentVersion: version[payment[:36]], Cursor: int64(n), LedgerPosition: place(len(w.deliveries) - copies),
		}})
	}
	return w
}

// deliveriesPerCommit is how many deliveries a commit has here.
const deliveriesPerCommit = 7

// place is where delivery i of the world stands in the ledger.
func place(i int) *eventv1.LedgerPosition {
	return &eventv1.LedgerPosition{Sequence: int64(i/deliveriesPerCommit) + 1, Delivery: int32(i % deliveriesPerCommit)}
}

func (w world) check() *verify.Report {
	c := verify.New(source(), w.outcomes)
	for bodies := range slices.Chunk(w.deliveries, deliveriesPerCommit) {
		c.Commit(bodies)
	}
	c.Deliveries()
	for _, m := range w.events {
		c.Event(m.subject, m.sequence, m.event)
	}
	c.Events()
	return c.Report()
}

func TestIntactRunHasNoProblem(t *testing.T) {
	got := intact().check()
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	want := &verify.Report{Acknowledged: 1998, Unanswered: 2, Commits: 286, Stored: 2000, Repeated: 1, Events: 1999, Applied: 1999}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlantedProblemsAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*world)
		want  []string // parts of the problems, in order
	}{
		{"acknowledged deliveries are gone", func(w *world) { w.deliveries, w.events = w.deliveries[:1997], w.events[:1996] },
			[]string{"an acknowledged delivery is not stored (3, for example delivery 1997, 1 attempts)"}},
		{"an event's delivery is gone", func(w *world) { w.deliveries = w.deliveries[:1999] },
			[]string{"an acknowledged delivery is not stored (1", "an event has no stored delivery (1"}},
		{"a delivery that was sent once is there twice", func(w *world) { w.deliveries = append(w.deliveries, w.deliveries[0]) },
			[]string{"a delivery is stored more often than it was sent (1"}},
		{"a delivery that was sent twice is there three times", func(w *world) { w.deliveries = append(w.deliveries, w.deliveries[3]) },
			[]string{"a delivery is stored more often than it was sent (1"}},
		{"a delivery was never sent", func(w *world) { w.deliveries = append(w.deliveries, source().AppendBody(nil, 2000)) },
			[]string{"something is stored that was not sent (1"}},
		{"a delivery of another run is there", func(w *world) { w.deliveries = append(w.deliveries, webhook.New(8, to, 0).AppendBody(nil, 1)) },
			[]string{"something is stored that was not sent (1"}},
		{"a byte of a body has changed", func(w *world) {
			w.deliveries[7] = []byte(strings.Replace(string(w.deliveries[7]), "CHECKOUT", "CHECKOUt", 1))
		},
			[]string{"a delivery is not stored as it was sent (1, for example delivery 7"}},
		{"an event is missing", func(w *world) { w.events = w.events[:len(w.events)-1] },
			[]string{"a stored fact has no event (1, for example delivery 1999"}},
		{"the first event of a payment is missing", func(w *world) { w.events = renumbered(slices.Delete(w.events, 0, 1)) },
			[]string{"the versions of a payment are not 1, 2, 3 and so on (1", "a stored fact has no event (1, for example delivery 0"}},
		{"a fact has two events", func(w *world) { w.events = append(w.events, again(w.events, 10)) },
			[]string{"the versions of a payment are not 1, 2, 3 and so on (1", "a fact has more than one event (1, for example delivery 11"}},
		{"a message is missing in the stream", func(w *world) { w.events[len(w.events)-1].sequence++ },
			[]string{"the cursors of the events are not 1, 2, 3 and so on (1"}},
		{"a cursor is not the sequence", func(w *world) { w.events[8].event.Cursor++ },
			[]string{"the cursors of the events are not 1, 2, 3 and so on (1"}},
		{"an event that changed something is an observation", func(w *world) { w.events[8].subject = "observations.v1.x" },
			[]string{"an event is on the wrong subject (1"}},
		{"an event that changed nothing is published as one that did", func(w *world) { w.events[len(w.events)-1].event.PaymentVersion = 0 },
			[]string{"an event is on the wrong subject (1"}},
		{"an event is where another merchant's are", func(w *world) { w.events[8].subject = "payments.v1.live.clip.acme2.payment.paid" },
			[]string{"an event is on the wrong subject (1, for example payments.v1.live.clip.acme2.payment.paid, not below payments.v1.live.clip.acme.)"}},
		{"an event names another merchant", func(w *world) { w.events[8].event.Merchant = "acme2" },
			[]string{"an event does not say what its delivery says (1"}},
		{"an event is of an item that there is not", func(w *world) { w.events[1998].event.LedgerPosition.Item = 1 },
			[]string{"an event has no stored delivery (1", "a stored fact has no event (1"}},
		{"an event has the status of another", func(w *world) { w.events[8].event.ProviderStatus = "EXPIRED" },
			[]string{"an event does not say what its delivery says (1"}},
		{"an event comes from nowhere", func(w *world) { w.events[1998].event.LedgerPosition = place(5000) },
			[]string{"an event has no stored delivery (1", "a stored fact has no event (1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := intact()
			c.plant(&w)
			report := w.check()
			err := report.Err()
			if err == nil || len(report.Problems) != len(c.want) {
				t.Fatalf("got %v, want %d problems", err, len(c.want))
			}
			text := strings.TrimPrefix(err.Error(), "verification: ")
			for i, got := range strings.Split(text, "; ") {
				if !strings.HasPrefix(got, c.want[i]) {
					t.Errorf("problem %d is %q, want %q", i, got, c.want[i])
				}
			}
		})
	}
}

// batches is a run of two batches with three payments each that is as it must be.
func batches() (*webhook.Batches, []*eventv1.PaymentStatusChanged) {
	s := webhook.NewBatches(7, to, 3)
	var events []*eventv1.PaymentStatusChanged
	for seq := range uint64(2) {
		for i, item := range singleview.New().Normalize(provider.Delivery{}, s.AppendBody(nil, seq)).Items {
			e := item.Fact.Event
			e.Merchant, e.Payment, e.PaymentVersion = "acme", "payments/"+e.GetProviderPaymentId(), 1
			e.LedgerPosition = &eventv1.LedgerPosition{Sequence: 1, Delivery: int32(seq), Item: int32(i)}
			events = append(events, e)
		}
	}
	return s, events
}

func TestEachPaymentOfABatchMustHaveItsEvent(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(events []*eventv1.PaymentStatusChanged) []*eventv1.PaymentStatusChanged
		want  string
	}{
		{"none is missing", func(e []*eventv1.PaymentStatusChanged) []*eventv1.PaymentStatusChanged { return e }, "<nil>"},
		{"the last is missing", func(e []*eventv1.PaymentStatusChanged) []*eventv1.PaymentStatusChanged { return e[:5] },
			"verification: a stored fact has no event (1, for example delivery 1, item 2)"},
		{"one is there for another", func(e []*eventv1.PaymentStatusChanged) []*eventv1.PaymentStatusChanged {
			e[4].LedgerPosition.Item = 0
			return e
		}, "verification: an event does not say what its delivery says (1, for example delivery 1, item 0); " +
			"a fact has more than one event (1, for example delivery 1, item 0); a stored fact has no event (1, for example delivery 1, item 1)"},
		{"one is of a fourth payment", func(e []*eventv1.PaymentStatusChanged) []*eventv1.PaymentStatusChanged {
			e[0].LedgerPosition.Item, e[0].Name = 3, "events/x"
			return e
		}, "verification: an event has no stored delivery (1, for example events/x); a stored fact has no event (1, for example delivery 0, item 0)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, events := batches()
			check := verify.New(s, []load.Outcome{{Attempts: 1, Acknowledged: true}, {Attempts: 1, Acknowledged: true}})
			check.Commit([][]byte{s.AppendBody(nil, 0), s.AppendBody(nil, 1)})
			check.Deliveries()
			for i, e := range c.plant(events) {
				e.Cursor = int64(i) + 1
				check.Event("payments.v1.live.singleview.acme.payment.processing", uint64(i)+1, e)
			}
			check.Events()
			if got := fmt.Sprint(check.Report().Err()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func renumbered(events []message) []message {
	for i := range events {
		events[i].sequence, events[i].event.Cursor = uint64(i)+1, int64(i)+1
	}
	return events
}

// again is event i once more at the end of the stream.
func again(events []message, i int) message {
	n := uint64(len(events)) + 1
	e := proto.CloneOf(events[i].event)
	e.Cursor = int64(n)
	return message{events[i].subject, n, e}
}
