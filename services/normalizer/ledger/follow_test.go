package ledger_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/testing/protocmp"
)

func follow(t *testing.T, l *ledger.Ledger, after int64) *ledger.Follower {
	t.Helper()
	f, err := l.Follow(t.Context(), after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// next returns the next commits up to and including last, which must follow each other.
func next(t *testing.T, f *ledger.Follower, after, last int64) (all []*ledgerv1.Commit) {
	t.Helper()
	for at := after; at < last; {
		commits, err := f.Next(t.Context(), 1000)
		if err != nil {
			t.Fatalf("after commit %d: %v", at, err)
		}
		for _, c := range commits {
			if at++; c.GetOrdinal() != at {
				t.Fatalf("commit %d, want %d", c.GetOrdinal(), at)
			}
		}
		all = append(all, commits...)
	}
	return all
}

// What is followed is what a reader finds in the stream, sealed or not.
func TestFollowerGetsWhatIsStored(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		s := natsdtest.Start(t, "")
		var sealer ledger.Sealer
		if sealed {
			sealer = ring(t, s)
		}
		l, err := openIn(t, s, "", sealer)
		if err != nil {
			t.Fatal(err)
		}
		f := follow(t, l, 0)
		for range 20 {
			if _, err := l.Append(t.Context(), private()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Command(t.Context(), &ledgerv1.Reprocess{Deliveries: []string{"deliveries/1-0"}}); err != nil {
			t.Fatal(err)
		}
		followed := next(t, f, 0, 21)
		r, err := l.ReadAfter(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var stored []*ledgerv1.Commit
		for len(stored) < len(followed) {
			commits, err := r.Next(t.Context(), 1000)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, commits...)
		}
		if diff := cmp.Diff(stored, followed, protocmp.Transform()); diff != "" {
			t.Errorf("sealed %t (-stored +followed):\n%s", sealed, diff)
		}
	}
}

// A commit that this process has just written is not read back from the server.
func TestFollowerOfTheNewestCommitsReadsNoStream(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	f := follow(t, l, 0)
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(50) {
		fill(t, l, 1)
		next(t, f, n, n+1)
		stream, err := js.Stream(t.Context(), ledger.Stream)
		if err != nil {
			t.Fatal(err)
		}
		if consumers := stream.CachedInfo().State.Consumers; consumers != 0 {
			t.Fatalf("commit %d: the stream has %d consumers, want none", n+1, consumers)
		}
	}
}

func TestWhatIsHeldIsThatCommitAndNoLaterOne(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 3)
	f := follow(t, l, 0)
	fill(t, l, 2)
	held := func(want ...int64) {
		t.Helper()
		var got []int64
		for n := range int64(7) {
			if c := l.Held(n); c != nil {
				if c.GetOrdinal() != n {
					t.Errorf("commit %d is told as commit %d", c.GetOrdinal(), n)
				}
				got = append(got, n)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	held(4, 5) // the others are in the stream only
	next(t, f, 0, 5)
	fill(t, l, 1)
	next(t, f, 5, 6)
	held(6) // it may be in work
	f.Close()
	held()
}

func TestFollowerThatIsFarBehindMissesNothing(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 5) // before it follows
	f := follow(t, l, 2)
	next(t, f, 2, 5)
	fill(t, l, 1500) // more than is held
	next(t, f, 5, 1505)
	fill(t, l, 3)
	next(t, f, 1505, 1508)
}

func TestTheWriterLooksAfterItsFollower(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	f := follow(t, l, 0)
	fill(t, l, ledger.FarDeliveries)
	if l.WaitedInVain() {
		t.Fatalf("the writer waited with %d deliveries, which is not far", ledger.FarDeliveries)
	}
	fill(t, l, 2) // one that makes it far, and one that is waited with
	if !l.WaitedInVain() {
		t.Error("the writer has not waited for a follower that is far behind")
	}
	next(t, f, 0, ledger.FarDeliveries+2)
	if l.WaitedInVain() {
		t.Error("the writer would not wait again for a follower that went on")
	}
}

// Commits of another paynorm, while this one writes nothing.
func TestFollowerFindsWhatOthersWrote(t *testing.T) {
	s := natsdtest.Start(t, "")
	first, second := open(t, s), open(t, s)
	f := follow(t, second, 0)
	fill(t, first, 3)
	for at := int64(0); at < 3; {
		commits, err := f.Next(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			if at++; c.GetOrdinal() != at {
				t.Fatalf("commit %d, want %d", c.GetOrdinal(), at)
			}
		}
	}
}

func TestFollowerThatWaitsIsToldThatNothingCame(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	f := follow(t, l, 0)
	if commits, err := f.Next(t.Context(), 1); err != nil || commits != nil {
		t.Errorf("got %d commits, %v; want none", len(commits), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Next(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop: got %v", err)
	}
}
