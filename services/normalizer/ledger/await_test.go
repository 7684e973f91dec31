package ledger

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// filled returns what a writer holds after commits of some deliveries of size bytes each, and the ordinal of the last.
func filled(commits, deliveries, size int) *held {
	h := newHeld()
	h.open()
	for i := range commits {
		c := &ledgerv1.Commit{Ordinal: int64(i + 1)}
		for range deliveries {
			c.Deliveries = append(c.Deliveries, &ledgerv1.Delivery{})
		}
		h.add(written{commit: c, end: tip{ordinal: c.GetOrdinal()}, bytes: deliveries * size})
	}
	return h
}

// waited is how long the writer waits.
func waited(ctx context.Context, h *held) time.Duration {
	start := time.Now()
	h.await(ctx)
	return time.Since(start)
}

func TestTheWriterDoesNotWaitForWhoIsNear(t *testing.T) {
	closed := filled(20, 100, 1000)
	closed.close()
	for name, h := range map[string]*held{
		"few deliveries": filled(7, 100, 1000), "nothing": filled(0, 0, 0), "nobody follows": newHeld(), "nobody follows any more": closed,
	} {
		synctest.Test(t, func(t *testing.T) {
			if w := waited(t.Context(), h); w != 0 {
				t.Errorf("%s: waited %v", name, w)
			}
		})
	}
}

func TestTheWriterWaitsUntilWhoIsFarBehindTakesSomething(t *testing.T) {
	for name, fill := range map[string]func() *held{
		"many deliveries": func() *held { return filled(10, 100, 1000) },
		"many bytes":      func() *held { return filled(6, 1, 1<<20) },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := fill()
			at := tip{}
			h.take(&at, 1) // what was taken before does not count
			time.AfterFunc(pause/2, func() { h.take(&at, 1) })
			if w := waited(t.Context(), h); w != pause/2 {
				t.Errorf("%s: waited %v, want %v", name, w, pause/2)
			}
		})
	}
}

func TestTheWriterWaitsOnceForWhoHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filled(20, 100, 1000)
		for i, want := range []time.Duration{pause, 0, 0} {
			if w := waited(t.Context(), h); w != want {
				t.Errorf("time %d: waited %v, want %v", i, w, want)
			}
		}
		at := tip{}
		if got, _ := h.take(&at, 1); len(got) != 1 {
			t.Fatalf("took %d commits", len(got))
		}
		if w := waited(t.Context(), h); w != pause {
			t.Errorf("after it went on: waited %v, want %v", w, pause)
		}
	})
}

func TestTheWriterDoesNotWaitWhenItIsStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if w := waited(ctx, filled(20, 100, 1000)); w != time.Millisecond {
			t.Errorf("waited %v", w)
		}
	})
}
