package ledger_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/testing/protocmp"
)

func fill(t testing.TB, l *ledger.Ledger, n int) {
	t.Helper()
	for i := range n {
		if _, err := l.Append(t.Context(), delivery(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGetReturnsOneCommit(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 3)
	c, err := l.Get(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*ledgerv1.Delivery{delivery(1)}, c.GetDeliveries(), protocmp.Transform()); diff != "" || c.GetOrdinal() != 2 {
		t.Errorf("commit %d: %s", c.GetOrdinal(), diff)
	}
	for _, absent := range []int64{-1, 0, 4} {
		if _, err := l.Get(t.Context(), absent); !errors.Is(err, ledger.ErrNotKept) {
			t.Errorf("commit %d: got %v, want ErrNotKept", absent, err)
		}
	}
}

func TestCommandIsACommitOfItsOwnInTheOrderOfArrival(t *testing.T) {
	s := natsdtest.Start(t, "")
	l := open(t, s)
	fill(t, l, 1)
	command := &ledgerv1.Reprocess{Deliveries: []string{"deliveries/d1-0"}, Requester: "someone"}
	place, err := l.Command(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	if want := (ledger.Place{Sequence: 2}); place != want {
		t.Errorf("stored at %v, want %v", place, want)
	}
	fill(t, l, 1)
	r, err := l.ReadAfter(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var commits []*ledgerv1.Commit
	for len(commits) < 3 {
		more, err := r.Next(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		commits = append(commits, more...)
	}
	if diff := cmp.Diff(command, commits[1].GetReprocess(), protocmp.Transform()); diff != "" || len(commits[1].GetDeliveries()) > 0 {
		t.Errorf("commit 2 has %d deliveries and %s", len(commits[1].GetDeliveries()), diff)
	}
	if commits[0].GetReprocess() != nil || commits[2].GetReprocess() != nil {
		t.Error("the command is in other commits, too")
	}
}

// Under load commands and deliveries wait together.
func TestCommandsAndDeliveriesDoNotShareACommit(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	done := make(chan error)
	for i := range 200 {
		go func() {
			if i%10 == 0 {
				_, err := l.Command(t.Context(), &ledgerv1.Reprocess{Deliveries: []string{"deliveries/d1-0"}})
				done <- err
				return
			}
			_, err := l.Append(t.Context(), delivery(i))
			done <- err
		}()
	}
	for range 200 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	deliveries, commands := 0, 0
	for at := int64(1); at <= l.Last(); at++ {
		c, err := l.Get(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		deliveries += len(c.GetDeliveries())
		if c.GetReprocess() != nil {
			commands++
		}
		if (c.GetReprocess() != nil) == (len(c.GetDeliveries()) > 0) {
			t.Errorf("commit %d carries %d deliveries and the command %v", at, len(c.GetDeliveries()), c.GetReprocess())
		}
	}
	if deliveries != 180 || commands != 20 {
		t.Errorf("%d deliveries and %d commands, want 180 and 20", deliveries, commands)
	}
}
