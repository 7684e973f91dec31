package ledger

import (
	"context"
	"sync"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

const (
	// maxHeld and maxHeldBytes bound the commits that wait in memory for who follows.
	maxHeld      = 1024
	maxHeldBytes = 8 << 20
	// quiet is how long Next waits for a commit.
	quiet = time.Second
	// farDeliveries, or farBytes, are held when who follows is far behind.
	farDeliveries = 768
	farBytes      = maxHeldBytes / 2
	// pause is how long the writer waits at most for who is far behind.
	pause = 50 * time.Millisecond
)

// Follower reads the commits that this process writes, as they become durable,
// from memory, and all others from the stream. It belongs to one goroutine, and
// a ledger has one at a time.
type Follower struct {
	l      *Ledger
	tip    tip
	reader *Reader // of what is not in memory; nil while there is nothing else
}

// Follow returns a follower of the commits after the one numbered after, with
// the errors of ReadAfter.
func (l *Ledger) Follow(ctx context.Context, after int64) (*Follower, error) {
	start, err := l.start(ctx, after)
	if err != nil {
		return nil, err
	}
	l.held.open()
	return &Follower{l: l, tip: start}, nil
}

// Next returns commits as Reader.Next does, and none when a second has passed
// without any.
func (f *Follower) Next(ctx context.Context, limit int) ([]*ledgerv1.Commit, error) {
	for {
		last := f.l.last.Load() // a commit is held before it is the last
		commits, arrived := f.l.held.take(&f.tip, limit)
		if len(commits) > 0 {
			f.forget()
			return commits, nil
		}
		if last > f.tip.ordinal {
			return f.read(ctx, limit)
		}
		select {
		case <-arrived:
		case <-time.After(quiet):
			// Another paynorm may be writing. Then this one's ledger refuses deliveries, and follows.
			end, err := f.l.End(ctx)
			if err != nil || end <= f.tip.ordinal {
				return nil, err
			}
			return f.read(ctx, limit)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// read returns commits that are in the stream.
func (f *Follower) read(ctx context.Context, limit int) (_ []*ledgerv1.Commit, err error) {
	if f.reader == nil {
		if f.reader, err = f.l.readFrom(ctx, f.tip); err != nil {
			return nil, err
		}
	}
	commits, err := f.reader.Next(ctx, limit)
	f.tip = f.reader.tip
	f.l.held.hand(commits)
	return commits, err
}

// Held returns the commit numbered sequence when it is in memory, because who follows
// has got it last or gets it soon; else nil.
func (l *Ledger) Held(sequence int64) *ledgerv1.Commit {
	l.held.mu.Lock()
	defer l.held.mu.Unlock()
	for _, c := range l.held.handed {
		if c.GetOrdinal() == sequence {
			return c
		}
	}
	for _, w := range l.held.commits {
		if w.end.ordinal == sequence {
			return w.commit
		}
	}
	return nil
}

func (f *Follower) forget() {
	if f.reader != nil {
		f.reader.Close()
		f.reader = nil
	}
}

// Close ends the following.
func (f *Follower) Close() {
	f.forget()
	f.l.held.close()
}

// held is what the writer holds for a follower: the newest commits, without a gap.
type held struct {
	mu         sync.Mutex
	wanted     bool
	handed     []*ledgerv1.Commit // what was taken last
	commits    []written
	deliveries int // in them
	bytes      int
	arrived    chan struct{} // gets a value after each commit
	taken      chan struct{} // gets a value when commits were taken
	stalled    bool          // nothing was taken since the writer waited in vain
}

// written is a commit as it was before sealing.
type written struct {
	commit *ledgerv1.Commit
	end    tip
	bytes  int
}

func newHeld() *held {
	return &held{arrived: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

// await lets who follows catch up when it is far behind: until it takes something, and
// not longer than pause, or until ctx ends. Without it, deliveries that are acknowledged
// faster than they are followed push each other out of memory, and reading them back
// from the stream costs the time that who follows lacks. One that has stopped is waited
// for once.
func (h *held) await(ctx context.Context) {
	h.mu.Lock()
	wait := h.wanted && !h.stalled && (h.deliveries > farDeliveries || h.bytes > farBytes)
	if wait {
		select {
		case <-h.taken: // before
		default:
		}
	}
	h.mu.Unlock()
	if !wait {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-h.taken:
	case <-ctx.Done():
	case <-timer.C:
		h.mu.Lock()
		h.stalled = true
		h.mu.Unlock()
	}
}

func (h *held) open() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = true
}

func (h *held) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted, h.handed, h.commits, h.deliveries, h.bytes = false, nil, nil, 0, 0
}

// add takes a commit that is durable. What is too much goes from the front, and is
// in the stream.
func (h *held) add(w written) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.wanted {
		return
	}
	h.commits = append(h.commits, w)
	h.deliveries += len(w.commit.GetDeliveries())
	for h.bytes += w.bytes; len(h.commits) > maxHeld || h.bytes > maxHeldBytes; {
		h.drop()
	}
}

// wake tells who follows that there is a commit, here or in the stream.
func (h *held) wake() { notify(h.arrived) }

// notify puts a value into a channel with room for one.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (h *held) drop() {
	h.deliveries -= len(h.commits[0].commit.GetDeliveries())
	h.bytes -= h.commits[0].bytes
	h.commits[0] = written{}
	h.commits = h.commits[1:]
}

// hand remembers commits that who follows has got from the stream.
func (h *held) hand(commits []*ledgerv1.Commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handed = commits
}

// take returns the commits after at, if the next one is here, and moves at behind
// them; limits are those of Reader.Next. Nothing before at is kept.
func (h *held) take(at *tip, limit int) ([]*ledgerv1.Commit, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.commits) > 0 && h.commits[0].end.ordinal <= at.ordinal {
		h.drop()
	}
	var out []*ledgerv1.Commit
	for deliveries, size := 0, 0; len(h.commits) > 0 && deliveries < limit && size < maxNextBytes; {
		w := h.commits[0]
		if before := (tip{ordinal: w.commit.GetOrdinal() - 1, sum: w.commit.GetPreviousSha256()}); !before.equal(*at) {
			break
		}
		out, *at = append(out, w.commit), w.end
		deliveries += len(w.commit.GetDeliveries())
		size += w.bytes
		h.drop()
	}
	h.handed = out
	if len(out) > 0 {
		h.stalled = false
		notify(h.taken)
	}
	return out, h.arrived
}
