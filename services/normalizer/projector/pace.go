package projector

import (
	"context"
	"runtime"
	"time"
)

const (
	// closest is how long after the beginning of a portion the next one begins at the
	// earliest. A portion makes the disk sync and has a batch and a transaction of its own,
	// however little it carries. So while deliveries keep coming, portions are fewer and
	// carry more. After a longer portion the projector rests half as long as it worked, but
	// not beyond farthest. A delivery that comes alone is projected at once.
	closest  = 7 * time.Millisecond
	farthest = 15 * time.Millisecond
	// behind is how many commits in a portion say that the projector is behind;
	// then it does not wait.
	behind = 64
	// portion is how many deliveries a portion takes, or those of one commit: some 30 ms
	// of work. The ledger's writer waits for its end when the projector is far behind.
	portion = 512
)

// yield lets who answers webhooks go first. A portion is some milliseconds of work,
// and the runtime would take the processor away only after ten.
func yield() { runtime.Gosched() }

// rest waits after a portion of commits that began and has just ended, or until ctx ends.
func (p *Projector) rest(ctx context.Context, began time.Time, commits int) {
	worked := p.o.Now().Sub(began)
	left := min(max(worked*3/2, closest), farthest) - worked
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
