package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/proto"
)

// scrub runs rounds until the given number has ended; between two of them, between is called. It
// returns what was found, and how long scrubbing waited.
func scrub(t *testing.T, l *ledger.Ledger, rounds int, between func()) (found []error, waited time.Duration, s *ledger.Scrubber) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	s = &ledger.Scrubber{
		Ledger: l, Rate: 10_000, Every: 24 * time.Hour, Now: func() time.Time { return now }, Logger: quiet,
		Wait: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			if d < time.Hour {
				waited += d
			} else if len(found) < rounds {
				between()
			}
			return ctx.Err()
		},
		Found: func(err error) {
			if found = append(found, err); len(found) == rounds {
				stop()
			}
		},
	}
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	return found, waited, s
}

func TestScrubReadsAllAtItsRateAgainAndAgain(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	for range 10 {
		if _, err := l.Append(t.Context(), &ledgerv1.Delivery{Body: make([]byte, 10_000)}); err != nil {
			t.Fatal(err)
		}
	}
	found, waited, s := scrub(t, l, 2, func() { fill(t, l, 1) })
	if len(found) != 2 || found[0] != nil || found[1] != nil {
		t.Errorf("found %v, want two rounds without a finding", found)
	}
	if waited < 20*time.Second || waited > 21*time.Second {
		t.Errorf("waited %v for 200 kB at 10 kB/s, want 20 s", waited)
	}
	if p := s.Progress(); p.Ordinal != 11 || p.Completed.IsZero() || p.Damage != nil {
		t.Errorf("progress is %+v, want 11 commits", p)
	}
}

func TestScrubFindsMissingCommitsAndServingGoesOn(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	fill(t, l, 3)
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	found, _, scrubber := scrub(t, l, 2, func() {
		// The first two are lost.
		stream, err := js.Stream(t.Context(), ledger.Stream)
		if err != nil {
			t.Error(err)
			return
		}
		if err := stream.Purge(t.Context(), jetstream.WithPurgeSequence(3)); err != nil {
			t.Error(err)
		}
	})
	if len(found) != 2 || found[0] != nil || !errors.Is(found[1], ledger.ErrDamaged) {
		t.Errorf("found %v, want nothing and then ErrDamaged", found)
	}
	if p := scrubber.Progress(); !errors.Is(p.Damage, ledger.ErrDamaged) {
		t.Errorf("progress is %+v, want damage", p)
	}
	if _, err := l.Append(t.Context(), delivery(4)); err != nil {
		t.Errorf("append after the finding: %v", err)
	}
}

func TestScrubFindsABrokenChain(t *testing.T) {
	s := natsdtest.Start(t, "")
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	open(t, s).Close()
	for ordinal := range int64(3) {
		data, err := proto.Marshal(&ledgerv1.Commit{Ordinal: ordinal + 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), "paynorm.ledger.v1.commit", data); err != nil {
			t.Fatal(err)
		}
	}
	found, _, _ := scrub(t, open(t, s), 1, func() {})
	if len(found) != 1 || !errors.Is(found[0], ledger.ErrDamaged) {
		t.Errorf("found %v, want ErrDamaged", found)
	}
}
