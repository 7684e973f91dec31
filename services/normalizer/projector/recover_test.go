package projector_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/projector"
)

// site is a server and the file of a view with some events.
func site(t *testing.T) (server *natsd.Server, file string, published []eventstream.Message) {
	t.Helper()
	server, file = natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db")
	p := open(t, server, file)
	p.accept(t, "p1 PENDING 1\np2 PAID 9", "p1 PAID 2", "p2 NONSENSE 1", "p3 PAID 1\np3 PAID 1", "p4 PAID 1")
	p.run(t)
	p.ledger.Close()
	return server, file, p.published(t)
}

// end closes what prepare opened.
func (p *pipeline) end(t *testing.T) {
	t.Helper()
	p.ledger.Close()
	if err := p.view.Close(); err != nil {
		t.Error(err)
	}
}

func stream(t *testing.T, s *natsd.Server) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	out, err := js.Stream(t.Context(), eventstream.Name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStreamThatLacksWhatTheViewHasGetsTheSameMessagesAgain(t *testing.T) {
	for name, kept := range map[string]int{"nothing is left": 0, "the end is missing": 3} {
		t.Run(name, func(t *testing.T) {
			server, file, want := site(t)
			headers := func() (all []any) {
				for _, m := range want {
					raw, err := stream(t, server).GetMsg(t.Context(), uint64(m.Cursor()))
					if err != nil {
						t.Fatal(err)
					}
					// What only says when, and what the publisher expected of the stream, differs.
					for key := range raw.Header {
						if strings.HasPrefix(key, "Nats-Expected-") || strings.HasPrefix(key, "Nats-Batch-") || key == "Nats-Time-Stamp" {
							raw.Header.Del(key)
						}
					}
					all = append(all, raw.Subject, raw.Header)
				}
				return all
			}
			wantHeaders := headers()
			if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
				t.Fatal(err)
			}
			p := prepare(t, server, file, words{})
			defer p.end(t)
			if err := p.events.Publish(t.Context(), 0, want[:kept]); err != nil {
				t.Fatal(err)
			}
			if err := p.project.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, p.published(t), protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantHeaders, headers()); diff != "" {
				t.Errorf("subjects and headers (-want +got):\n%s", diff)
			}
		})
	}
}

// The stream is deleted and made again while no delivery comes.
func TestStreamThatIsDeletedGetsItsMessagesAgainAtRest(t *testing.T) {
	server, file, want := site(t)
	p := open(t, server, file)
	defer p.end(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.project.Run(ctx) }()
	if err := eventstream.Delete(ctx, natsdtest.Connect(t, server)); err != nil {
		t.Fatal(err)
	}
	if _, err := eventstream.Open(ctx, eventstream.Options{Conn: natsdtest.Connect(t, server), Replicas: 1, AckTimeout: time.Second}); err != nil {
		t.Fatal(err)
	}
	for last := int64(0); last < int64(len(want)); {
		var err error
		if last, _, err = p.events.Last(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.published(t), protocmp.Transform()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

func TestEverythingIsRebuiltFromTheLedger(t *testing.T) {
	server, file, want := site(t)
	old := open(t, server, file)
	rows := old.deliveries(t, "")
	old.end(t)
	if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, server, filepath.Join(t.TempDir(), "view.db"), words{})
	defer p.end(t)
	if err := p.project.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.published(t), protocmp.Transform()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rows, p.deliveries(t, ""), protocmp.Transform()); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

// Each of these would lose or repeat something in silence.
func TestStoresThatDoNotBelongTogetherAreRefused(t *testing.T) {
	fresh := func(t *testing.T) string { return filepath.Join(t.TempDir(), "view.db") }
	for _, c := range []struct {
		name string
		says string // what the error tells to do
		// spoil returns the server and view to start with.
		spoil func(t *testing.T) (*natsd.Server, string)
	}{
		{"a hole in the stream", "paynorm rebuild --events", func(t *testing.T) (*natsd.Server, string) {
			server, file, _ := site(t)
			if err := stream(t, server).Purge(t.Context(), jetstream.WithPurgeSubject("quarantine.v1.>")); err != nil {
				t.Fatal(err)
			}
			return server, file
		}},
		{"a trimmed stream and no view", "restore a backup of view.db", func(t *testing.T) (*natsd.Server, string) {
			server, file, _ := site(t)
			p := open(t, server, file)
			defer p.end(t)
			if n, err := p.events.Trim(t.Context(), eventstream.Keep{MaxBytes: 1}, 3); n != 3 || err != nil {
				t.Fatalf("trimmed %d (%v), want 3", n, err)
			}
			return server, fresh(t)
		}},
		{"a trimmed ledger and no view", "restore a backup of view.db", func(t *testing.T) (*natsd.Server, string) {
			server, file, _ := site(t)
			p := open(t, server, file)
			defer p.end(t)
			if n, err := p.ledger.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, 3); n == 0 || err != nil {
				t.Fatalf("trimmed %d (%v)", n, err)
			}
			return server, fresh(t)
		}},
		{"the view of another ledger", "delete view.db", func(t *testing.T) (*natsd.Server, string) {
			server, _, _ := site(t)
			other, file := natsdtest.Start(t, ""), fresh(t)
			p := open(t, other, file)
			p.accept(t, "q1 PENDING 1", "q2 PAID 2")
			p.run(t)
			return server, file
		}},
		{"the events of another ledger", "another ledger", func(t *testing.T) (*natsd.Server, string) {
			_, _, published := site(t)
			other := natsdtest.Start(t, "")
			p := open(t, other, fresh(t))
			p.accept(t, "q1 PENDING 1", "q1 PENDING 2", "q1 PENDING 3", "q1 PENDING 4", "q1 PENDING 5")
			if err := p.events.Publish(t.Context(), 0, published); err != nil {
				t.Fatal(err)
			}
			p.end(t)
			return other, fresh(t)
		}},
		{"no events, and the view of another ledger", "another ledger", func(t *testing.T) (*natsd.Server, string) {
			_, file, _ := site(t)
			other := natsdtest.Start(t, "")
			p := open(t, other, fresh(t))
			p.accept(t, "q1 PENDING 1", "q1 PENDING 2", "q1 PENDING 3", "q1 PENDING 4", "q1 PENDING 5")
			p.end(t)
			return other, file
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, file := c.spoil(t)
			p := prepare(t, server, file, words{})
			defer p.end(t)
			err := p.project.Recover(t.Context())
			if !errors.Is(err, projector.ErrInconsistent) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Recover returns %v; want ErrInconsistent that says %q", err, c.says)
			}
		})
	}
}

func TestTrimmedStreamsGoOnWithTheirView(t *testing.T) {
	server, file, _ := site(t)
	p := open(t, server, file)
	if _, err := p.events.Trim(t.Context(), eventstream.Keep{MaxBytes: 1}, 6); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ledger.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, p.project.Done()); err != nil {
		t.Fatal(err)
	}
	if err := projector.Rebuildable(t.Context(), p.ledger, p.events); !errors.Is(err, projector.ErrInconsistent) {
		t.Errorf("Rebuildable returns %v, want ErrInconsistent", err)
	}
	p.end(t)
	q := open(t, server, file)
	q.accept(t, "p1 PAID 2", "p4 REVERSED 2")
	first, err := q.events.First(t.Context())
	if err != nil || first < 2 {
		t.Fatalf("the stream begins with %d (%v)", first, err)
	}
	q.run(t)
	last, m, err := q.events.Last(t.Context())
	if err != nil || last != 7 || m.Event.GetPaymentVersion() != 2 {
		t.Errorf("the stream ends with %d, %v (%v); want event 7, version 2 of p4", last, m.Event, err)
	}
}

func TestAwaitReturnsWhenTheCommitIsProjected(t *testing.T) {
	p := open(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"))
	waited := make(chan error, 1)
	go func() { waited <- p.project.Await(t.Context(), 3) }()
	p.accept(t, "p1 PENDING 1", "p1 PAID 2", "p1 PAID 2")
	p.run(t)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.project.Await(ctx, 4); !errors.Is(err, context.Canceled) {
		t.Errorf("Await of what is not there returns %v", err)
	}
}
