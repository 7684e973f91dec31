package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/services/normalizer/archive"
)

// Summary says what a backup holds.
type Summary struct {
	First, Last int64 // the commits, both included; Last is First-1 when there is none
	Keys        int64 // epochs of the key ring
	Bytes       int64 // of commits, as stored
}

// Commits returns how many there are.
func (s Summary) Commits() int64 { return s.Last - s.First + 1 }

// Backup writes the commits that there are when it begins, as stored, and the key ring, which
// stays wrapped. Deliveries are accepted meanwhile; nothing is trimmed. Errors wrap
// ErrUnavailable or ErrDamaged, or are w's.
func (l *Ledger) Backup(ctx context.Context, w io.Writer) (Summary, error) {
	l.trimming.RLock()
	defer l.trimming.RUnlock()
	at := *l.anchor.Load()
	s := Summary{First: at.ordinal + 1, Last: l.Last()}
	out, err := archive.NewWriter(w, archive.Header{
		First: s.First, Last: s.Last, Anchor: hex.EncodeToString(at.sum), Time: l.o.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		return Summary{}, err
	}
	// After the end is known: the keys of all commits up to it are there then.
	if s.Keys, err = l.backupKeys(ctx, out); err != nil {
		return Summary{}, err
	}
	for at.ordinal < s.Last {
		data, err := l.stored(ctx, at.ordinal+1)
		if errors.Is(err, ErrNotKept) {
			err = fmt.Errorf("%w: %w: %s", ErrDamaged, err, repair)
		}
		if err != nil {
			return Summary{}, err
		}
		if at, _, err = follow(at, uint64(at.ordinal)+1, data); err != nil {
			return Summary{}, err
		}
		if err := out.Write(archive.Commit, data); err != nil {
			return Summary{}, err
		}
		s.Bytes += int64(len(data))
	}
	return s, out.Close()
}

func (l *Ledger) backupKeys(ctx context.Context, out *archive.Writer) (int64, error) {
	stream, err := l.js.Stream(ctx, Keys)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var n int64
	err = eachKey(ctx, stream, func(msg *jetstream.RawStreamMsg) error {
		n++
		return out.Write(archive.Key, append([]byte(msg.Subject+"\n"), msg.Data...))
	})
	return n, err
}
