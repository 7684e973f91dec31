package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// ErrNotKept says that a commit is not in the ledger: it was trimmed, or was never written.
var ErrNotKept = errors.New("the ledger does not hold the commit")

// Get returns the commit numbered sequence, decrypted. Its hash is not checked against
// the chain. Errors wrap ErrNotKept, ErrUnavailable, ErrDamaged, ErrSealed or those of the Sealer.
func (l *Ledger) Get(ctx context.Context, sequence int64) (*ledgerv1.Commit, error) {
	data, err := l.stored(ctx, sequence)
	if err != nil {
		return nil, err
	}
	c, err := decode(uint64(sequence), data)
	if err != nil {
		return nil, err
	}
	return c, unseal(l.o.Sealer, c)
}

// First returns the number of the oldest commit that is kept; 1 when nothing was
// trimmed or nothing is stored. Errors wrap ErrUnavailable.
func (l *Ledger) First(ctx context.Context) (int64, error) {
	ctx, cancel := l.briefly(ctx)
	defer cancel()
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return max(1, int64(info.State.FirstSeq)), nil
}

// briefly bounds a question to the server by AckTimeout: when the connection goes away
// at the wrong moment, no answer ever comes, and callers may have hours.
func (l *Ledger) briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.o.AckTimeout)
}

// stored returns the message body of a commit. Errors wrap ErrNotKept, ErrUnavailable or ErrDamaged.
func (l *Ledger) stored(ctx context.Context, sequence int64) ([]byte, error) {
	if sequence < 1 {
		return nil, fmt.Errorf("%w: %d", ErrNotKept, sequence)
	}
	ctx, cancel := l.briefly(ctx)
	defer cancel()
	msg, err := l.stream.GetMsg(ctx, uint64(sequence))
	if err == nil {
		return msg.Data, nil
	}
	if !errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	info, err := l.stream.Info(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case uint64(sequence) < info.State.FirstSeq, uint64(sequence) > info.State.LastSeq:
		return nil, fmt.Errorf("%w: %d; it holds %d to %d", ErrNotKept, sequence, info.State.FirstSeq, info.State.LastSeq)
	case l.o.Replicas > 1:
		// Any replica may have answered, also one that is behind.
		return nil, fmt.Errorf("%w: a replica does not have commit %d yet", ErrUnavailable, sequence)
	}
	return nil, fmt.Errorf("%w: commit %d is missing: %s", ErrDamaged, sequence, repair)
}
