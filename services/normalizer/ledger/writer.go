package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// probeInterval is how often the writer asks whether NATS is back.
const probeInterval = 200 * time.Millisecond

// storageInterval is how often a commit in work looks whether the disk has failed.
const storageInterval = 20 * time.Millisecond

// writer owns the end of the chain. It has one commit in flight: more were
// slower, because the stream syncs them one after the other.
type writer struct {
	l       *Ledger
	tip     tip
	status  <-chan nats.Status
	carried *entry // did not fit into the commit before
	// doubt is the hashes of the commits after tip that were given up. Each of them
	// demands the same place, so at most one arrives, and that may be much later: the
	// server's queue for the stream is another one than that for questions.
	doubt [][]byte
	// buffer holds the message of a commit while it is published.
	buffer []byte
}

// maxBuffer is how many bytes of the buffer are kept from one commit to the next.
const maxBuffer = 256 << 10

func (w *writer) run(ctx context.Context) {
	w.status = w.l.o.Conn.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	look := time.NewTicker(probeInterval)
	defer look.Stop()
	for {
		var first *entry
		if w.carried != nil {
			first, w.carried = w.carried, nil
		} else {
			select {
			case <-ctx.Done():
				w.shut(errors.New("paynorm is stopping"))
				return
			case <-w.status:
				w.recover(ctx, errors.New("not connected to NATS"))
				continue
			case <-look.C:
				if err := w.l.storage(); err != nil {
					w.recover(ctx, err)
				}
				continue
			case first = <-w.l.entries:
			}
		}
		w.l.held.await(ctx)
		// Who can run now may have a delivery too. When the processors are busy, this makes
		// commits larger and so fewer; when they are not, nothing runs in between.
		runtime.Gosched()
		group := w.gather(first)
		if len(group) == 0 {
			continue
		}
		if err := w.commit(ctx, group); err != nil {
			w.recover(ctx, err)
		}
	}
}

// gather takes first and what else is waiting, up to the limits of a commit.
// Entries whose senders have given up are left out. A command stands alone.
func (w *writer) gather(first *entry) []*entry {
	group := make([]*entry, 0, len(w.l.entries)+1)
	size := 0
	for e := first; ; {
		w.l.bytes.Add(-int64(e.size))
		if e.state.CompareAndSwap(waiting, taken) {
			group = append(group, e)
			size += e.size
			if e.command != nil || len(group) == maxCommitDeliveries {
				return group
			}
		}
		select {
		case e = <-w.l.entries:
		default:
			return group
		}
		if len(group) > 0 && (size+e.size > w.l.limit || e.command != nil) {
			w.carried = e
			return group
		}
	}
}

// commit publishes group as one message. On an error it is not known whether
// the message was stored, or still will be.
func (w *writer) commit(ctx context.Context, group []*entry) error {
	c := &ledgerv1.Commit{
		Ordinal: w.tip.ordinal + 1, PreviousSha256: w.tip.sum, CommitTime: timestamppb.New(w.l.o.Now()),
	}
	data, err := w.marshal(c, group)
	end := tipOf(c.GetOrdinal(), data)
	if err == nil {
		w.doubt = append(w.doubt, end.sum)
		start := w.l.o.Now()
		if err = w.publish(ctx, data); err == nil && w.l.o.Observer != nil {
			w.l.o.Observer.Committed(len(c.GetDeliveries()), len(data), w.l.o.Now().Sub(start))
		}
	}
	if err == nil {
		w.hold(c, end, len(data), group)
		w.advance(end)
	}
	for i, e := range group {
		if e.place = (Place{Sequence: c.GetOrdinal(), Index: i}); err != nil {
			e.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		close(e.done)
	}
	if err == nil && w.l.checkpoint.due(w.tip, w.l.o.Now()) {
		w.remember()
	}
	return err
}

// hold gives a durable commit to who follows, with deliveries as they were before sealing.
func (w *writer) hold(c *ledgerv1.Commit, end tip, size int, group []*entry) {
	if w.l.o.Sealer != nil && c.GetReprocess() == nil {
		sealed := c
		c = &ledgerv1.Commit{Ordinal: sealed.GetOrdinal(), PreviousSha256: sealed.GetPreviousSha256(), CommitTime: sealed.GetCommitTime()}
		for _, e := range group {
			c.Deliveries = append(c.Deliveries, e.delivery)
		}
	}
	w.l.held.add(written{commit: c, end: end, bytes: size})
}

// remember writes the checkpoint. Without it the next start only knows less, so an error stops nothing.
func (w *writer) remember() {
	if err := w.l.checkpoint.reached(w.tip, w.l.o.Now()); err != nil {
		w.l.o.Logger.Warn("the ledger's checkpoint is not up to date", "cause", err)
	}
}

// marshal fills c with what group carries and returns the message.
func (w *writer) marshal(c *ledgerv1.Commit, group []*entry) ([]byte, error) {
	if command := group[0].command; command != nil {
		c.Reprocess = command
		return w.encode(c)
	}
	c.Deliveries = make([]*ledgerv1.Delivery, len(group))
	for i, e := range group {
		d, err := seal(w.l.o.Sealer, Place{Sequence: c.GetOrdinal(), Index: i}, e.delivery)
		if err != nil {
			return nil, err
		}
		c.Deliveries[i] = d
	}
	return w.encode(c)
}

// encode returns the message of c, which is valid until the next one: nats.go copies what it publishes.
func (w *writer) encode(c *ledgerv1.Commit) (data []byte, err error) {
	data, err = proto.MarshalOptions{}.MarshalAppend(w.buffer[:0], c)
	if cap(data) <= maxBuffer {
		w.buffer = data
	}
	return data, err
}

func (w *writer) advance(to tip) {
	if to.ordinal > w.tip.ordinal {
		w.doubt = nil
	}
	w.tip = to
	w.l.last.Store(to.ordinal)
	w.l.held.wake()
}

// publish returns nil only after the server has said that the message is stored. It gives
// up at once when the connection goes away or the disk fails: the server then never answers.
func (w *writer) publish(ctx context.Context, data []byte) error {
	// A commit in work is finished also when paynorm is stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.l.o.AckTimeout)
	defer cancel()
	watched := make(chan struct{})
	defer close(watched)
	go func() {
		look := time.NewTicker(storageInterval)
		defer look.Stop()
		for {
			select {
			case <-w.status:
				cancel()
				return
			case <-look.C:
				if w.l.storage() != nil {
					cancel()
					return
				}
			case <-watched:
				return
			}
		}
	}()
	_, err := w.l.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data},
		jetstream.WithExpectStream(Stream), jetstream.WithExpectLastSequence(uint64(w.tip.ordinal)), jetstream.WithRetryAttempts(0))
	return err
}

// recover refuses everything until the stream answers again and its end is
// known. When a commit in doubt turns out to be stored, it stays, and what its
// senders repeat gives no second event.
func (w *writer) recover(ctx context.Context, cause error) {
	w.l.o.Logger.Error("ledger refuses deliveries", "cause", cause)
	w.l.setDown(cause)
	for {
		w.refuse(cause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(probeInterval):
		}
		drain(w.status) // what happened before the probe is over
		end, err := w.probe(ctx)
		switch {
		case err != nil:
			cause = err
		case end.equal(w.tip), end.ordinal == w.tip.ordinal+1 && w.doubted(end.sum):
			w.advance(end)
			w.l.setDown(nil)
			w.l.o.Logger.Info("ledger accepts deliveries again", "commit", end.ordinal)
			return
		default:
			cause = fmt.Errorf("%w: it ends with commit %d, which is not ours (%d was): is another paynorm writing to the same stream?", ErrDamaged, end.ordinal, w.tip.ordinal)
		}
		w.l.setDown(cause)
	}
}

func (w *writer) doubted(sum []byte) bool {
	return slices.ContainsFunc(w.doubt, func(d []byte) bool { return bytes.Equal(d, sum) })
}

func drain(status <-chan nats.Status) {
	for {
		select {
		case <-status:
		default:
			return
		}
	}
}

func (w *writer) probe(ctx context.Context) (tip, error) {
	if err := w.l.storage(); err != nil {
		return tip{}, err
	}
	if !w.l.o.Conn.IsConnected() {
		return tip{}, errors.New("not connected to NATS")
	}
	ctx, cancel := context.WithTimeout(ctx, w.l.o.AckTimeout)
	defer cancel()
	found, err := inspect(ctx, w.l.stream, w.l.checkpoint.known())
	return found.end, err
}

func (w *writer) refuse(cause error) {
	for e := w.carried; ; {
		if e != nil {
			w.l.bytes.Add(-int64(e.size))
			if e.state.CompareAndSwap(waiting, taken) {
				e.err = fmt.Errorf("%w: %w", ErrUnavailable, cause)
				close(e.done)
			}
		}
		w.carried = nil
		select {
		case e = <-w.l.entries:
		default:
			return
		}
	}
}

func (w *writer) shut(cause error) {
	w.l.setDown(cause)
	w.refuse(cause)
	w.remember()
}
