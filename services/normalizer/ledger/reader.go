package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"golang.org/x/sync/semaphore"
)

const (
	// readAhead bounds how many commits a reader holds that were not asked for yet, and
	// readAheadBytes their bytes, which is as much again in the connection's buffer.
	readAhead      = 256
	readAheadBytes = 16 << 20
	// maxNextBytes bounds what Next returns at once, but for a single commit.
	maxNextBytes = 4 << 20
)

// abandonedAfter is how long the server keeps a consumer that nobody reads.
const abandonedAfter = 30 * time.Second

// Reader reads commits in order and checks the chain as it goes. It belongs to
// one goroutine.
type Reader struct {
	l        *Ledger
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
	fetched  chan jetstream.Msg
	room     *semaphore.Weighted // of bytes in fetched
	tip      tip
	stop     context.CancelFunc
}

// ReadAfter returns a reader of the commits after the one numbered after, 0 for
// all that are kept. Errors wrap ErrDamaged when the ledger ends before it, ErrNotKept when
// commits behind it were trimmed, or ErrUnavailable.
func (l *Ledger) ReadAfter(ctx context.Context, after int64) (*Reader, error) {
	start, err := l.start(ctx, after)
	if err != nil {
		return nil, err
	}
	return l.readFrom(ctx, start)
}

func (l *Ledger) readFrom(ctx context.Context, start tip) (_ *Reader, err error) {
	r := &Reader{l: l, tip: start, fetched: make(chan jetstream.Msg, readAhead), room: semaphore.NewWeighted(readAheadBytes)}
	r.consumer, err = l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       uint64(start.ordinal) + 1,
		InactiveThreshold: abandonedAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	r.messages, err = r.consumer.Messages(jetstream.PullHeartbeat(time.Second),
		jetstream.PullMaxMessagesWithBytesLimit(readAhead, max(readAheadBytes, 2*int(l.o.Conn.MaxPayload()))))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	ctx, r.stop = context.WithCancel(ctx)
	go r.fetch(ctx)
	return r, nil
}

// start returns the commit after which a reader begins.
func (l *Ledger) start(ctx context.Context, after int64) (tip, error) {
	data, err := l.stored(ctx, after)
	// Looked at after the reading: trimming moves it before it removes commits.
	switch anchor := *l.anchor.Load(); {
	case after == 0, after == anchor.ordinal:
		return anchor, nil
	case after < anchor.ordinal:
		return tip{}, fmt.Errorf("%w: %d was trimmed, and so were others up to %d", ErrNotKept, after, anchor.ordinal)
	case errors.Is(err, ErrNotKept):
		return tip{}, fmt.Errorf("%w: commit %d has been projected but is not there: %s", ErrDamaged, after, repair)
	case err != nil:
		return tip{}, err
	}
	return tipOf(after, data), nil
}

func (r *Reader) fetch(ctx context.Context) {
	defer close(r.fetched)
	for {
		msg, err := r.messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return
		}
		if r.room.Acquire(ctx, weight(msg)) != nil {
			return
		}
		select {
		case r.fetched <- msg:
		case <-ctx.Done():
			return
		}
	}
}

// weight is what msg takes of a reader's room; a single message always fits.
func weight(msg jetstream.Msg) int64 { return min(int64(len(msg.Data())), readAheadBytes) }

// Next waits for at least one commit and returns what is there, up to limit
// deliveries or maxNextBytes, or the one commit that alone has more. Errors wrap ErrDamaged,
// ErrUnavailable (read again from the last commit) or ctx's error.
func (r *Reader) Next(ctx context.Context, limit int) ([]*ledgerv1.Commit, error) {
	var commits []*ledgerv1.Commit
	for deliveries, size := 0, 0; deliveries < limit && size < maxNextBytes; {
		var msg jetstream.Msg
		if len(commits) == 0 {
			select {
			case msg = <-r.fetched:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		} else {
			select {
			case msg = <-r.fetched:
			default:
				return commits, nil
			}
		}
		if msg == nil {
			if len(commits) > 0 {
				return commits, nil
			}
			return nil, fmt.Errorf("%w: reading stopped", ErrUnavailable)
		}
		r.room.Release(weight(msg))
		c, err := r.check(msg)
		if err != nil {
			return nil, err
		}
		commits = append(commits, c)
		deliveries += len(c.GetDeliveries())
		size += len(msg.Data())
	}
	return commits, nil
}

func (r *Reader) check(msg jetstream.Msg) (*ledgerv1.Commit, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	at := meta.Sequence.Stream
	if anchor := *r.l.anchor.Load(); int64(at) == anchor.ordinal+1 && r.tip.ordinal < anchor.ordinal {
		r.tip = anchor // trimmed in front of this reader
	}
	next, c, err := follow(r.tip, at, msg.Data())
	if err != nil {
		return nil, err
	}
	r.tip = next
	return c, unseal(r.l.o.Sealer, c)
}

// follow checks that data, which is stored under sequence, is the commit after before.
// Errors wrap ErrDamaged.
func follow(before tip, sequence uint64, data []byte) (tip, *ledgerv1.Commit, error) {
	if want := uint64(before.ordinal) + 1; sequence != want {
		return tip{}, nil, fmt.Errorf("%w: commit %d is missing; the next one is %d: %s", ErrDamaged, want, sequence, repair)
	}
	c, err := decode(sequence, data)
	if err != nil {
		return tip{}, nil, err
	}
	if !bytes.Equal(c.GetPreviousSha256(), before.sum) {
		return tip{}, nil, fmt.Errorf("%w: commit %d does not follow commit %d: the chain of hashes is broken: %s", ErrDamaged, sequence, before.ordinal, repair)
	}
	return tipOf(c.GetOrdinal(), data), c, nil
}

// Close ends the reading. A consumer that stays behind counts against the
// server's limit of a thousand, which a projector that tries again and again reaches.
func (r *Reader) Close() {
	r.stop()
	r.messages.Stop()
	for range r.fetched { // until fetch has ended
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// When it fails, the server forgets the consumer by itself after abandonedAfter.
	_ = r.l.stream.DeleteConsumer(ctx, r.consumer.CachedInfo().Name)
}
