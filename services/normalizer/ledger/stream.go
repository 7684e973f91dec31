package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Stream is the name of the ledger's stream.
const Stream = "PAYNORM_LEDGER"

// subject is where commits are published; the stream takes paynorm.ledger.v1.>.
const subject = "paynorm.ledger.v1.commit"

// ErrDamaged says that the stored ledger is not what was written: a commit is
// missing, changed, or out of place. The text says which.
var ErrDamaged = errors.New("the ledger is damaged")

// repair is what an operator can do about it.
const repair = "stop paynorm, keep a copy of data_dir, and restore a backup"

// tip is the end of a chain: a commit, or the begin of the ledger.
type tip struct {
	ordinal int64
	sum     []byte // SHA-256 of the commit's message body; nil when there is none
}

// tipOf returns the end of a chain whose last commit has data as its message body.
func tipOf(ordinal int64, data []byte) tip {
	sum := sha256.Sum256(data)
	return tip{ordinal: ordinal, sum: sum[:]}
}

func (t tip) equal(u tip) bool { return t.ordinal == u.ordinal && bytes.Equal(t.sum, u.sum) }

// streamConfig leaves DenyPurge off, because trimming purges what is older than the
// retention. Nobody but paynorm may have the permission to purge.
func streamConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        Stream,
		Description: "paynorm: every accepted webhook, the source of truth",
		Subjects:    []string{"paynorm.ledger.v1.>"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Replicas:    replicas,
		DenyDelete:  true,
		AllowDirect: true,
		// Commits carry no message ID, and the server reads the whole window anew at each start.
		Duplicates: minDuplicates,
	}
}

// ensureStream opens the stream. One that is known to have held something is never made anew.
func ensureStream(ctx context.Context, js jetstream.JetStream, replicas int, known mark) (jetstream.Stream, error) {
	cfg := streamConfig(replicas)
	switch there, err := js.Stream(ctx, Stream); {
	case err == nil:
		// NATS does not take it back. A stream that was made with it, by the first versions, is not trimmed.
		cfg.DenyPurge = there.CachedInfo().Config.DenyPurge
	case known.end.ordinal > 0 && errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("%w: stream %s is gone with commits %d to %d: %s", ErrDamaged, Stream, known.anchor.ordinal+1, known.end.ordinal, repair)
	}
	s, err := js.CreateOrUpdateStream(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Stream, err)
	}
	return s, nil
}

// inspect finds the begin and the end of the chain and checks that no message is missing.
// JetStream drops messages after a damaged byte without a word, so the counts and
// what is known from before are the only witnesses (besides the chain of hashes, which readers check).
func inspect(ctx context.Context, s jetstream.Stream, known mark) (mark, error) {
	info, err := s.Info(ctx)
	if err != nil {
		return mark{}, fmt.Errorf("stream %s: %w", Stream, err)
	}
	st := info.State
	if known.end.ordinal > int64(st.LastSeq) {
		return mark{}, fmt.Errorf("%w: commits %d to %d are missing at its end: %s", ErrDamaged, st.LastSeq+1, known.end.ordinal, repair)
	}
	if st.LastSeq == 0 {
		return mark{}, nil
	}
	if st.Msgs == 0 {
		return mark{}, fmt.Errorf("%w: none of its commits up to %d is left: %s", ErrDamaged, st.LastSeq, repair)
	}
	if missing := st.LastSeq - st.FirstSeq + 1 - st.Msgs; missing != 0 {
		return mark{}, fmt.Errorf("%w: stream %s holds %d messages from %d to %d; %d are missing: %s",
			ErrDamaged, Stream, st.Msgs, st.FirstSeq, st.LastSeq, missing, repair)
	}
	anchor, err := inspectBegin(ctx, s, int64(st.FirstSeq), known)
	if err != nil {
		return mark{}, err
	}
	end, _, err := readTip(ctx, s, int64(st.LastSeq))
	return mark{anchor: anchor, end: end}, err
}

// inspectBegin checks what stands before the oldest commit, which is numbered first,
// and returns it.
func inspectBegin(ctx context.Context, s jetstream.Stream, first int64, known mark) (tip, error) {
	if known.end.ordinal > 0 && first > known.anchor.ordinal+1 {
		return tip{}, fmt.Errorf("%w: commits %d to %d are missing at its begin: %s", ErrDamaged, known.anchor.ordinal+1, first-1, repair)
	}
	_, previous, err := readTip(ctx, s, first)
	if err != nil {
		return tip{}, err
	}
	anchor := tip{ordinal: first - 1, sum: previous}
	if (first == 1 && len(previous) > 0) || (known.anchor.ordinal == anchor.ordinal && known.end.ordinal > 0 && !anchor.equal(known.anchor)) {
		return tip{}, fmt.Errorf("%w: commit %d does not follow what was before it: %s", ErrDamaged, first, repair)
	}
	if known.end.ordinal < first {
		return anchor, nil
	}
	witness, _, err := readTip(ctx, s, known.end.ordinal)
	if err != nil {
		return tip{}, err
	}
	if !witness.equal(known.end) {
		return tip{}, fmt.Errorf("%w: commit %d is not the one that was written: %s", ErrDamaged, known.end.ordinal, repair)
	}
	return anchor, nil
}

// readTip reads one commit and returns it as a tip, with the hash that it names as the one before.
func readTip(ctx context.Context, s jetstream.Stream, ordinal int64) (at tip, previous []byte, err error) {
	msg, err := s.GetMsg(ctx, uint64(ordinal))
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) { // a server that does not answer is no damage
		return tip{}, nil, fmt.Errorf("%w: commit %d: %w", ErrUnavailable, ordinal, err)
	}
	if err != nil {
		return tip{}, nil, fmt.Errorf("%w: commit %d cannot be read: %w: %s", ErrDamaged, ordinal, err, repair)
	}
	c, err := decode(msg.Sequence, msg.Data)
	if err != nil {
		return tip{}, nil, err
	}
	return tipOf(ordinal, msg.Data), c.GetPreviousSha256(), nil
}
