package projector

import (
	"context"
	"runtime"
	"time"
)

const (
	// apart is how long after the beginning of a portion the next one begins. A
	// portion makes the disk sync and has a batch and a transaction of its own,
	// however little it carries. So while deliveries keep coming, portions are fewer
	// and carry more. A delivery that comes alone is projected at once.
	apart = 15 * time.Millisecond
	// behind is how many commits in a portion say that the projector is behind;
	// then it does not wait.
	behind = 64
	// portion is how many deliveries a portion takes, or those of one commit: some 30 ms
	// of work. The ledger waits that long when the projector is far behind.
	portion = 512
)

// yield lets who answers webhooks go first. A portion is some milliseconds of work,
// and the runtime would take the processor away only after ten.
func yield() { runtime.Gosched() }

// rest waits until apart after a portion of commits began, or until ctx ends.
func (p *Projector) rest(ctx context.Context, began time.Time, commits int) {
	left := apart - p.o.Now().Sub(began)
	if left <= 0 || commits >= behind {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
