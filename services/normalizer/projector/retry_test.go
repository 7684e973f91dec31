package projector_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

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

// observed is a pipeline that is ready to run and tells items what it decides.
func observed(t *testing.T, s *natsd.Server, items decided) *pipeline {
	t.Helper()
	p := open(t, s, filepath.Join(t.TempDir(), "view.db"))
	p.project = projector.New(projector.Options{
		Ledger: p.ledger, Normalizer: normalize.New([]provider.Adapter{words{}}), Events: p.events, View: p.view, Observer: items,
		Watchers: watch.NewHub(p.view), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err := p.project.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// What is decided and cannot be published leaves nothing behind: when it is
// decided again, its payments are as they were.
func TestWhatCannotBePublishedIsDecidedAnew(t *testing.T) {
	server := natsdtest.Start(t, "")
	items := make(decided, 100)
	p := observed(t, server, items)
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
	for range 3 { // p1 and p2, and p1 once more
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
	want := "p1:PENDING:applied:1 p1:PAID:applied:2 p2:PENDING:applied:1"
	if got := summary(p.published(t)); got != want {
		t.Errorf("published\n%s\nwant\n%s", got, want)
	}
}

// The age of what is not projected is asked for again and again. It is known without
// the stream, which a context that is over would not let it read.
func TestTheOldestCommitThatIsNotProjectedIsKnownWithoutTheStream(t *testing.T) {
	items := make(decided)
	p := observed(t, natsdtest.Start(t, ""), items)
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
