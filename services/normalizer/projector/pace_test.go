package projector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestRest(t *testing.T) {
	for _, c := range []struct {
		claim   string
		took    time.Duration // by the portion
		commits int
		stop    bool
		want    time.Duration
	}{
		{"a short portion is followed by a rest", 2 * time.Millisecond, 1, false, closest - 2*time.Millisecond},
		{"a longer one by a rest of half its length", 8 * time.Millisecond, 1, false, 4 * time.Millisecond},
		{"as long as another portion does not wait too long", 12 * time.Millisecond, 1, false, farthest - 12*time.Millisecond},
		{"a long portion was rest enough", farthest + time.Millisecond, 1, false, 0},
		{"who is behind does not rest", 2 * time.Millisecond, behind, false, 0},
		{"who is told to stop does not rest", 2 * time.Millisecond, 1, true, 0},
	} {
		t.Run(c.claim, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				time.Sleep(c.took)
				from := time.Now()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if c.stop {
					cancel()
				}
				New(Options{Now: time.Now}).rest(ctx, began, c.commits)
				if got := time.Since(from); got != c.want {
					t.Errorf("rested for %v, want %v", got, c.want)
				}
			})
		})
	}
}
