package projector_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// words is an adapter whose bodies are lines of "payment STATUS minute", or of
// "payment STATUS minute operation amount" for a capture. An unknown status is
// quarantined, NOTHING is skipped, and the status BUG makes it fail.
type words struct {
	reads  map[string]string // a status that is read as another one
	factor int64             // of amounts; 0 is 1
	sealer ledger.Sealer     // of the ledger
}

func (words) Describe() provider.Descriptor {
	return provider.Descriptor{ID: "words", MappingVersion: 1}
}

func (words) Verify(d provider.Delivery, _ provider.Keys) (provider.Verified, error) {
	return provider.Verified{Plaintext: d.Body}, nil
}

func (a words) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	var r provider.Result
	for line := range strings.Lines(string(plaintext)) {
		r.Items = append(r.Items, a.item(strings.Fields(line)))
	}
	return r
}

func (a words) item(f []string) provider.Item {
	if f[1] == "BUG" {
		panic("a bug in the adapter")
	}
	minute, err := strconv.Atoi(f[2])
	if err != nil {
		panic(err)
	}
	word := cmp.Or(a.reads[f[1]], f[1])
	status := eventv1.PaymentStatus_value["PAYMENT_STATUS_"+word]
	if word == "NOTHING" {
		return provider.Item{Skip: &provider.Skip{Reason: "nothing"}}
	}
	if status == 0 {
		return provider.Item{Quarantine: &provider.Quarantine{Reason: eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, Detail: "status", Payment: f[:1]}}
	}
	e := &eventv1.PaymentStatusChanged{
		Kind: eventv1.Kind_KIND_PAYMENT, Direction: eventv1.Direction_DIRECTION_INBOUND, ProviderPaymentId: f[0], ProviderStatus: f[1],
		Status:          &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus(status)},
		OccurTime:       timestamppb.New(time.Date(2026, 5, 1, 8, minute, 0, 0, time.UTC)),
		OccurTimeSource: eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD,
	}
	if len(f) > 3 {
		n, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			panic(err)
		}
		e.Operation, e.OperationOutcome, e.ProviderOperationId = eventv1.Operation_OPERATION_CAPTURE, eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED, f[3]
		e.Amount = &eventv1.Money{CurrencyCode: "MXN", MinorUnits: n * cmp.Or(a.factor, 1), Exponent: 2}
	}
	return provider.Item{Fact: &provider.Fact{Event: e, Key: f, Payment: f[:1]}}
}

type unobserved struct{}

func (unobserved) Projected(string, normalize.Item, bool) {}
func (unobserved) Drifted(string, []string, time.Time)    {}

// pipeline is ledger, events, view and projector over one NATS server.
type pipeline struct {
	ledger  *ledger.Ledger
	events  *eventstream.Stream
	view    *view.View
	project *projector.Projector
}

func open(t *testing.T, s *natsd.Server, viewFile string) *pipeline {
	t.Helper()
	return openWith(t, s, viewFile, words{})
}

// openWith is open with another mapping.
func openWith(t *testing.T, s *natsd.Server, viewFile string, adapter words) *pipeline {
	t.Helper()
	p := prepare(t, s, viewFile, adapter)
	if err := p.project.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// prepare makes a pipeline that has not recovered.
func prepare(t *testing.T, s *natsd.Server, viewFile string, adapter words) *pipeline {
	t.Helper()
	nc, log := natsdtest.Connect(t, s), slog.New(slog.DiscardHandler)
	l, err := ledger.Open(t.Context(), ledger.Options{Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Now: time.Now, Health: func(error) {}, Sealer: adapter.sealer, Trimmed: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	e, err := eventstream.Open(t.Context(), eventstream.Options{Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	v, err := view.Open(t.Context(), viewFile)
	if err != nil {
		t.Fatal(err)
	}
	return &pipeline{ledger: l, events: e, view: v, project: projector.New(projector.Options{
		Ledger: l, Normalizer: normalize.New([]provider.Adapter{adapter}), Events: e, View: v, Observer: unobserved{},
		Watchers: watch.NewHub(v), Now: time.Now, Logger: log,
	})}
}

func (p *pipeline) accept(t *testing.T, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		d := &ledgerv1.Delivery{Provider: "words", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Body: []byte(b), ReceiveTime: timestamppb.New(time.Unix(1_700_000_000, 0))}
		if _, err := p.ledger.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

// run projects until nothing is left, stops the projector and closes the view.
func (p *pipeline) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.project.Run(ctx) }()
	for p.project.Done() < p.ledger.Last() && ctx.Err() == nil {
		select {
		case err := <-ended:
			t.Fatalf("the projector ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("projected %d of %d commits", p.project.Done(), p.ledger.Last())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := p.view.Close(); err != nil {
		t.Fatal(err)
	}
}

// published returns all messages of the stream.
func (p *pipeline) published(t *testing.T) []eventstream.Message {
	t.Helper()
	last, _, err := p.events.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []eventstream.Message
	err = p.events.ReadAfter(t.Context(), 0, last, func(m []eventstream.Message) error {
		all = append(all, m...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func summary(messages []eventstream.Message) string {
	var words []string
	for _, m := range messages {
		if m.Notice != nil {
			words = append(words, normalize.ReasonWord(m.Notice.GetReason()))
			continue
		}
		status := strings.TrimPrefix(m.Event.GetPaymentStatus().String(), "PAYMENT_STATUS_")
		words = append(words, fmt.Sprintf("%s:%s:%s:%d", m.Event.GetProviderPaymentId(), status, normalize.DispositionWord(m.Event.GetDisposition()), m.Event.GetPaymentVersion()))
	}
	return strings.Join(words, " ")
}

func TestFactsBecomeEventsOnceAndInOrder(t *testing.T) {
	p := open(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"))
	p.accept(t,
		"p1 PENDING 1",
		"p1 PAID 3\np2 PENDING 1\np1 PAID 3", // a repeat within the delivery
		"p1 PAID 3",                          // a redelivery
		"p1 PENDING 2",                       // late
		"p1 TELEPORTED 4",
		"p3 BUG 1",
		"p2 PAID 2",
	)
	p.run(t)
	want := "p1:PENDING:applied:1 p1:PAID:applied:2 p2:PENDING:applied:1 p1:PENDING:stale:0 unmapped malformed_body p2:PAID:applied:2"
	if got := summary(p.published(t)); got != want {
		t.Errorf("published\n%s\nwant\n%s", got, want)
	}
}

func TestLargeDeliveryIsPublishedInPortionsOnce(t *testing.T) {
	p := open(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"))
	var body strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&body, "p%d PAID 1\n", i)
	}
	p.accept(t, body.String(), body.String())
	p.run(t)
	messages := p.published(t)
	if len(messages) != 2500 {
		t.Fatalf("%d messages, want 2500", len(messages))
	}
	for i, m := range messages {
		if want := fmt.Sprintf("p%d", i); m.Event.GetProviderPaymentId() != want || m.Cursor() != int64(i+1) {
			t.Fatalf("message %d is of %s with cursor %d, want %s", i, m.Event.GetProviderPaymentId(), m.Cursor(), want)
		}
	}
}

// Whatever is lost of view and position, the events stay as they were.
func TestViewThatIsGoneComesBackTheSame(t *testing.T) {
	server, dir := natsdtest.Start(t, ""), t.TempDir()
	p := open(t, server, filepath.Join(dir, "first.db"))
	p.accept(t, "p1 PENDING 1\np2 PAID 9", "p1 PAID 2", "p2 NONSENSE 1")
	p.run(t)
	p.ledger.Close()
	before := p.published(t)

	p = open(t, server, filepath.Join(dir, "second.db"))
	states, err := p.view.States(t.Context(), []string{before[0].Event.GetPayment()})
	if err != nil {
		t.Fatal(err)
	}
	if got := states[before[0].Event.GetPayment()].GetVersion(); got != 2 {
		t.Errorf("the payment has version %d in the new view, want 2", got)
	}
	p.accept(t, "p1 PAID 2", "p1 REVERSED 3")
	p.run(t)
	after := p.published(t)
	if diff := gocmp.Diff(before, after[:len(before)], protocmp.Transform()); diff != "" {
		t.Errorf("events changed:\n%s", diff)
	}
	if got, want := summary(after[len(before):]), "p1:REVERSED:applied:3"; got != want {
		t.Errorf("new events %s, want %s", got, want)
	}
}

// Events that were published before a crash, and that the view did not learn
// of, are not published again, also when they are a part of a commit.
func TestCrashBetweenStreamAndViewRepeatsNothing(t *testing.T) {
	server, dir := natsdtest.Start(t, ""), t.TempDir()
	p := open(t, server, filepath.Join(dir, "view.db"))
	p.accept(t, "p1 PENDING 1\np1 NONSENSE 1\np1 PAID 2\np2 PAID 1", "p3 PAID 1")
	p.run(t)
	all := p.published(t)
	p.ledger.Close()

	// The same ledger, but the stream has only the first two messages and the view none.
	if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
		t.Fatal(err)
	}
	q := open(t, server, filepath.Join(dir, "other.db"))
	if err := q.events.Publish(t.Context(), 0, all[:2]); err != nil {
		t.Fatal(err)
	}
	if err := q.project.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.run(t)
	if diff := gocmp.Diff(all, q.published(t), protocmp.Transform()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

// A ledger that lost its end would give its next commits the places of those
// that were projected already, and their events would be taken for repeats.
func TestLedgerBehindTheEventsIsRefused(t *testing.T) {
	p := open(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"))
	p.accept(t, "p1 PENDING 1", "p1 PAID 2")
	p.run(t)

	q := open(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"))
	q.accept(t, "p1 PENDING 1")
	if err := q.events.Publish(t.Context(), 0, p.published(t)); err != nil {
		t.Fatal(err)
	}
	if err := q.project.Recover(t.Context()); !errors.Is(err, projector.ErrInconsistent) {
		t.Errorf("got %v, want ErrInconsistent", err)
	}
	if err := q.view.Close(); err != nil {
		t.Fatal(err)
	}
}

// Two projectors on one ledger, which should not be: the fence refuses one of
// them at each step, and it goes on behind what the other one has published.
func TestTwoProjectorsPublishEachFactOnce(t *testing.T) {
	server, dir := natsdtest.Start(t, ""), t.TempDir()
	p := open(t, server, filepath.Join(dir, "first.db"))
	var want []string
	for i := range 150 {
		p.accept(t, fmt.Sprintf("p%d PENDING 1\np%d PAID 2", i, i), fmt.Sprintf("p%d PAID 2", i)) // and a repeat
		want = append(want, fmt.Sprintf("p%d:PENDING:applied:1 p%d:PAID:applied:2", i, i))
	}
	q := open(t, server, filepath.Join(dir, "second.db"))
	var both sync.WaitGroup
	both.Go(func() { p.run(t) })
	both.Go(func() { q.run(t) })
	both.Wait()
	if got := summary(q.published(t)); got != strings.Join(want, " ") {
		t.Errorf("published\n%s\nwant\n%s", got, strings.Join(want, " "))
	}
	// Whoever published what, both views know all of it in the end.
	var rows [][]view.Delivery
	for _, file := range []string{"first.db", "second.db"} {
		p := prepare(t, server, filepath.Join(dir, file), words{})
		if err := p.project.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, p.deliveries(t, ""))
		p.end(t)
	}
	if diff := gocmp.Diff(rows[0], rows[1], protocmp.Transform()); diff != "" || len(rows[0]) != 300 {
		t.Errorf("the views know %d and %d deliveries (-first +second):\n%s", len(rows[0]), len(rows[1]), diff)
	}
}

// A paynorm that starts while another one still works, as in a rolling upgrade,
// must not take that one's new commits for a ledger that has lost its end.
func TestLedgerThatAnotherProcessGoesOnWritingIsNotDamaged(t *testing.T) {
	server, dir := natsdtest.Start(t, ""), t.TempDir()
	p, q := open(t, server, filepath.Join(dir, "first.db")), open(t, server, filepath.Join(dir, "second.db"))
	p.accept(t, "p1 PENDING 1", "p1 PAID 2")
	p.run(t)
	if err := q.project.Recover(t.Context()); err != nil {
		t.Error(err)
	}
}
