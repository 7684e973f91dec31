package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

const (
	// readAhead bounds how many commits a reader holds that were not asked for yet.
	readAhead = 256
	// maxNextBytes bounds what Next returns at once, but for a single commit.
	maxNextBytes = 4 << 20
)

// abandonedAfter is how long the server keeps a consumer that nobody reads.
const abandonedAfter = 30 * time.Second

// Reader reads commits in order and checks the chain as it goes. It belongs to
// one goroutine.
type Reader struct {
	stream   jetstream.Stream
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
	fetched  chan jetstream.Msg
	tip      tip
	stop     context.CancelFunc
}

// ReadAfter returns a reader of the commits after the one numbered after, 0 for
// all. Errors wrap ErrDamaged when the ledger ends before it.
func (l *Ledger) ReadAfter(ctx context.Context, after int64) (*Reader, error) {
	r := &Reader{stream: l.stream, tip: tip{ordinal: after}, fetched: make(chan jetstream.Msg, readAhead)}
	if after > 0 {
		msg, err := l.stream.GetMsg(ctx, uint64(after))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, fmt.Errorf("%w: commit %d has been projected but is not there: restore a backup", ErrDamaged, after)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		sum := sha256.Sum256(msg.Data)
		r.tip.sum = sum[:]
	}
	var err error
	r.consumer, err = l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       uint64(after) + 1,
		InactiveThreshold: abandonedAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	r.messages, err = r.consumer.Messages(jetstream.PullMaxMessages(readAhead), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	ctx, r.stop = context.WithCancel(ctx)
	go r.fetch(ctx)
	return r, nil
}

func (r *Reader) fetch(ctx context.Context) {
	defer close(r.fetched)
	for {
		msg, err := r.messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return
		}
		select {
		case r.fetched <- msg:
		case <-ctx.Done():
			return
		}
	}
}

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
	if want := uint64(r.tip.ordinal) + 1; meta.Sequence.Stream != want {
		return nil, fmt.Errorf("%w: commit %d is missing; the next one is %d: restore a backup", ErrDamaged, want, meta.Sequence.Stream)
	}
	c, err := decode(meta.Sequence.Stream, msg.Data())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(c.GetPreviousSha256(), r.tip.sum) {
		return nil, fmt.Errorf("%w: commit %d does not follow commit %d: the chain of hashes is broken", ErrDamaged, c.GetOrdinal(), r.tip.ordinal)
	}
	sum := sha256.Sum256(msg.Data())
	r.tip = tip{ordinal: c.GetOrdinal(), sum: sum[:]}
	return c, nil
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
	_ = r.stream.DeleteConsumer(ctx, r.consumer.CachedInfo().Name)
}
