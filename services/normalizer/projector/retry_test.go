package projector_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

// decided tells of each item that is decided.
type decided chan struct{}

func (d decided) Projected(string, normalize.Item, bool) { d <- struct{}{} }
func (decided) Drifted(string, []string, time.Time)      {}

// observed is a pipeline that is ready to run and tells items what it decides, and log the rest.
func observed(t *testing.T, s *natsd.Server, items decided, log slog.Handler) *pipeline {
	t.Helper()
	p := open(t, s, filepath.Join(t.TempDir(), "view.db"))
	p.project = projector.New(projector.Options{
		Ledger: p.ledger, Normalizer: normalize.New([]provider.Adapter{words{}}), Events: p.events, View: p.view, Observer: items,
		Watchers: watch.NewHub(p.view), Now: time.Now, Logger: slog.New(log),
	})
	if err := p.project.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// What is decided and cannot be published leaves nothing behind: when it is
// decided again, its payments are as they were. It is tried again and again, and told once.
func TestWhatCannotBePublishedIsDecidedAnew(t *testing.T) {
	server := natsdtest.Start(t, "")
	items := make(decided, 100)
	var log logtest.Buffer
	p := observed(t, server, items, slog.NewTextHandler(&log, nil))
	js, err := jetstream.New(natsdtest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(larger int32) {
		config := stream(t, server).CachedInfo().Config
		config.MaxMsgSize = larger
		if _, err := js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.project.Run(ctx) }()
	next := func() {
		select {
		case <-items:
		case err := <-ended:
			t.Fatalf("the projector ended: %v", err)
		}
	}

	p.accept(t, "p1 PENDING 1")
	next()
	if err := p.project.Await(ctx, p.ledger.Last()); err != nil {
		t.Fatal(err)
	}
	refuse(1)
	p.accept(t, "p1 PAID 2\np2 PENDING 1")
	for range 7 { // p1 and p2, three times, and p1 once more
		next()
	}
	refuse(-1)
	if err := p.project.Await(ctx, p.ledger.Last()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := p.view.Close(); err != nil {
		t.Error(err)
	}
	for _, message := range []string{"projection interrupted", "projection goes on"} {
		if n := strings.Count(log.String(), message); n != 1 {
			t.Errorf("%q is told %d times, want once:\n%s", message, n, log.String())
		}
	}
	want := "p1:PENDING:applied:1 p1:PAID:applied:2 p2:PENDING:applied:1"
	if got := summary(p.published(t)); got != want {
		t.Errorf("published\n%s\nwant\n%s", got, want)
	}
}

// The age of what is not projected is asked for again and again. It is known without
// the stream, which a context that is over would not let it read.
func TestTheOldestCommitThatIsNotProjectedIsKnownWithoutTheStream(t *testing.T) {
	items := make(decided)
	p := observed(t, natsdtest.Start(t, ""), items, slog.DiscardHandler)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	oldest := func(want time.Time) {
		t.Helper()
		if got, err := p.project.Oldest(over); err != nil || !got.Equal(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.project.Run(ctx) }()
	decide := func() {
		select {
		case <-items:
		case err := <-ended:
			t.Fatalf("the projector ended: %v", err)
		}
	}
	made := func(sequence int64) time.Time {
		c, err := p.ledger.Get(ctx, sequence)
		if err != nil {
			t.Fatal(err)
		}
		return c.GetCommitTime().AsTime()
	}

	p.accept(t, "p1 PENDING 1")
	decide()
	if err := p.project.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	oldest(time.Time{})
	p.accept(t, "p2 PENDING 1\np3 PENDING 1")
	decide() // p2; p3 waits
	p.accept(t, "p4 PENDING 1")
	oldest(made(2))
	decide()
	if err := p.project.Await(ctx, 2); err != nil {
		t.Fatal(err)
	}
	oldest(made(3))
	decide()
	if err := p.project.Await(ctx, 3); err != nil {
		t.Fatal(err)
	}
	oldest(time.Time{})
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := p.view.Close(); err != nil {
		t.Error(err)
	}
}
