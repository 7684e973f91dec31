package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// probeInterval is how often the writer asks whether NATS is back.
const probeInterval = 200 * time.Millisecond

// writer owns the end of the chain. It has one commit in flight: more were
// slower, because the stream syncs them one after the other.
type writer struct {
	l       *Ledger
	tip     tip
	payload int
	carried *entry // did not fit into the commit before
}

func (w *writer) run(ctx context.Context) {
	status := w.l.o.Conn.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	for {
		var first *entry
		if w.carried != nil {
			first, w.carried = w.carried, nil
		} else {
			select {
			case <-ctx.Done():
				w.shut(errors.New("paynorm is stopping"))
				return
			case <-status:
				w.recover(ctx, errors.New("not connected to NATS"), nil)
				continue
			case first = <-w.l.entries:
			}
		}
		group := w.gather(first)
		if len(group) == 0 {
			continue
		}
		if sum, err := w.commit(ctx, group, status); err != nil {
			w.recover(ctx, err, sum)
		}
	}
}

// gather takes first and what else is waiting, up to the limits of a commit.
// Entries whose senders have given up are left out.
func (w *writer) gather(first *entry) []*entry {
	group := make([]*entry, 0, len(w.l.entries)+1)
	size := 0
	for e := first; ; {
		w.l.bytes.Add(-int64(e.size))
		if e.state.CompareAndSwap(waiting, taken) {
			group = append(group, e)
			size += e.size
		}
		if len(group) == maxCommitDeliveries {
			return group
		}
		select {
		case e = <-w.l.entries:
		default:
			return group
		}
		if size > 0 && size+e.size > w.l.limit {
			w.carried = e
			return group
		}
	}
}

// commit publishes group as one message. On an error it is not known whether
// the message was stored; sum then identifies it.
func (w *writer) commit(ctx context.Context, group []*entry, status <-chan nats.Status) (sum []byte, err error) {
	c := &ledgerv1.Commit{
		Ordinal: w.tip.ordinal + 1, PreviousSha256: w.tip.sum,
		CommitTime: timestamppb.New(w.l.o.Now()),
		Deliveries: make([]*ledgerv1.Delivery, len(group)),
	}
	for i, e := range group {
		c.Deliveries[i] = e.delivery
	}
	data, err := proto.Marshal(c)
	if err == nil {
		hash := sha256.Sum256(data)
		sum = hash[:]
		err = w.publish(ctx, data, status)
	}
	if err == nil {
		w.advance(tip{ordinal: c.GetOrdinal(), sum: sum})
	}
	for i, e := range group {
		if e.place = (Place{Sequence: c.GetOrdinal(), Index: i}); err != nil {
			e.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		close(e.done)
	}
	return sum, err
}

func (w *writer) advance(to tip) {
	w.tip = to
	w.l.last.Store(to.ordinal)
}

// publish returns nil only after the server has said that the message is
// stored. It gives up at once when the connection goes away.
func (w *writer) publish(ctx context.Context, data []byte, status <-chan nats.Status) error {
	// A commit in work is finished also when paynorm is stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.l.o.AckTimeout)
	defer cancel()
	watched := make(chan struct{})
	defer close(watched)
	go func() {
		select {
		case <-status:
			cancel()
		case <-watched:
		}
	}()
	_, err := w.l.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data},
		jetstream.WithExpectStream(Stream), jetstream.WithExpectLastSequence(uint64(w.tip.ordinal)), jetstream.WithRetryAttempts(0))
	return err
}

// recover refuses everything until the stream answers again and its end is
// known. sum is the commit whose fate is unknown, if there is one: when it turns
// out to be stored, it stays, and what its senders repeat gives no second event.
func (w *writer) recover(ctx context.Context, cause error, sum []byte) {
	w.l.o.Logger.Error("ledger refuses deliveries", "cause", cause)
	w.l.setDown(cause)
	for {
		w.refuse(cause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(probeInterval):
		}
		end, err := w.probe(ctx)
		switch {
		case err != nil:
			cause = err
		case end.ordinal == w.tip.ordinal && bytes.Equal(end.sum, w.tip.sum),
			end.ordinal == w.tip.ordinal+1 && sum != nil && bytes.Equal(end.sum, sum):
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

func (w *writer) probe(ctx context.Context) (tip, error) {
	if !w.l.o.Conn.IsConnected() {
		return tip{}, errors.New("not connected to NATS")
	}
	ctx, cancel := context.WithTimeout(ctx, w.l.o.AckTimeout)
	defer cancel()
	return readTip(ctx, w.l.stream)
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
}
