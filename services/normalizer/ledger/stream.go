package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

// Stream is the name of the ledger's stream.
const Stream = "PAYNORM_LEDGER"

// subject is where commits are published; the stream takes paynorm.ledger.v1.>.
const subject = "paynorm.ledger.v1.commit"

// ErrDamaged says that the stored ledger is not what was written: a commit is
// missing, changed, or out of place. The text says which.
var ErrDamaged = errors.New("the ledger is damaged")

// tip is the end of the chain.
type tip struct {
	ordinal int64
	sum     []byte // SHA-256 of the last commit's message body; nil when there is none
}

func ensureStream(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.Stream, error) {
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        Stream,
		Description: "paynorm: every accepted webhook, the source of truth",
		Subjects:    []string{"paynorm.ledger.v1.>"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Replicas:    replicas,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		// Commits carry no message ID, and the server reads the whole window anew at each start.
		Duplicates: minDuplicates,
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Stream, err)
	}
	return s, nil
}

// readTip finds the end of the chain and checks that no message is missing.
// JetStream drops messages after a damaged byte without a word, so the counts
// are the only witness (besides the chain of hashes, which readers check).
func readTip(ctx context.Context, s jetstream.Stream) (tip, error) {
	info, err := s.Info(ctx)
	if err != nil {
		return tip{}, fmt.Errorf("stream %s: %w", Stream, err)
	}
	st := info.State
	if st.LastSeq == 0 {
		return tip{}, nil
	}
	if st.FirstSeq != 1 || st.Msgs != st.LastSeq {
		return tip{}, fmt.Errorf("%w: stream %s holds %d messages from %d to %d; %d are missing: restore a backup",
			ErrDamaged, Stream, st.Msgs, st.FirstSeq, st.LastSeq, st.LastSeq-st.Msgs)
	}
	msg, err := s.GetMsg(ctx, st.LastSeq)
	if err != nil {
		return tip{}, fmt.Errorf("%w: commit %d cannot be read: %w", ErrDamaged, st.LastSeq, err)
	}
	if _, err := decode(msg.Sequence, msg.Data); err != nil {
		return tip{}, err
	}
	sum := sha256.Sum256(msg.Data)
	return tip{ordinal: int64(msg.Sequence), sum: sum[:]}, nil
}

func decode(sequence uint64, data []byte) (*ledgerv1.Commit, error) {
	c := &ledgerv1.Commit{}
	if err := proto.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%w: commit %d: %w", ErrDamaged, sequence, err)
	}
	if c.GetOrdinal() != int64(sequence) {
		return nil, fmt.Errorf("%w: sequence %d holds commit %d", ErrDamaged, sequence, c.GetOrdinal())
	}
	return c, nil
}
