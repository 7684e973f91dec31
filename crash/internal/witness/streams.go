package witness

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/crash/internal/history"
)

const (
	ledgerStream = "PAYNORM_LEDGER"
	eventStream  = "PAYNORM_EVENTS"
	readAhead    = 1000
)

// ErrNoStream says that there is no such stream.
var ErrNoStream = jetstream.ErrStreamNotFound

// each calls handle with all messages of a stream in order, and returns what the stream held.
func each(ctx context.Context, js jetstream.JetStream, name string, handle func(sequence uint64, m jetstream.Msg) error) (jetstream.StreamState, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return jetstream.StreamState{}, fmt.Errorf("stream %s: %w", name, err)
	}
	state := stream.CachedInfo().State
	if state.LastSeq == 0 {
		return state, nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return state, fmt.Errorf("stream %s: %w", name, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return state, fmt.Errorf("stream %s: %w", name, err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return state, fmt.Errorf("stream %s: %w", name, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return state, fmt.Errorf("stream %s: %w", name, err)
		}
		if err := handle(meta.Sequence.Stream, m); err != nil {
			return state, fmt.Errorf("stream %s, message %d: %w", name, meta.Sequence.Stream, err)
		}
		if meta.Sequence.Stream >= state.LastSeq {
			return state, nil
		}
	}
}

// Ledger reads all deliveries that are kept, with those that before has read and that
// are gone, and checks the chain of commits on the way. A nil before has read nothing.
func Ledger(ctx context.Context, js jetstream.JetStream, before *Follower) (all []history.Stored, kept history.Kept, missed []int64, err error) {
	var commits []commit
	state, err := each(ctx, js, ledgerStream, func(sequence uint64, m jetstream.Msg) error {
		c, err := readCommit(sequence, m.Data())
		commits = append(commits, c)
		return err
	})
	if err != nil {
		return nil, kept, nil, err
	}
	kept = keptOf(state)
	if before != nil {
		gone := before.commitsUntil(kept.First)
		if len(gone) > 0 {
			kept.Slack = gone[len(gone)-1].size + trimSlack
		}
		commits = append(gone, commits...)
	}
	last := commit{}
	for _, c := range commits {
		if before != nil {
			for at := last.ordinal + 1; at < min(c.ordinal, kept.First); at++ {
				missed = append(missed, at)
				last = commit{ordinal: at, sum: c.previous}
			}
		}
		if c.ordinal != last.ordinal+1 || !bytes.Equal(c.previous, last.sum) {
			return nil, kept, nil, fmt.Errorf("commit %d does not follow commit %d", c.ordinal, last.ordinal)
		}
		last = c
		all = append(all, c.deliveries...)
	}
	return all, kept, missed, nil
}

// Events reads all messages of the event stream that are kept, with those that before
// has read and that are gone. A nil before has read nothing.
func Events(ctx context.Context, js jetstream.JetStream, before *Follower) (all []history.Message, kept history.Kept, err error) {
	state, err := each(ctx, js, eventStream, func(sequence uint64, m jetstream.Msg) error {
		message, err := decode(sequence, m.Subject(), m.Headers(), m.Data())
		all = append(all, message)
		return err
	})
	kept = keptOf(state)
	if err != nil || before == nil {
		return all, kept, err
	}
	gone := before.messagesUntil(kept.First)
	if missed := kept.First - 1 - int64(len(gone)); missed > 0 {
		return nil, kept, fmt.Errorf("nothing can be said: the follower did not keep up, %d events were removed before it had read them", missed)
	}
	return append(gone, all...), kept, nil
}

func keptOf(s jetstream.StreamState) history.Kept {
	return history.Kept{First: max(1, int64(s.FirstSeq)), Last: int64(s.LastSeq), Bytes: int64(s.Bytes)}
}

// Trimmed waits until retention has brought the streams below bounds, in bytes. What
// is still too large after patience is for the checker to tell.
func Trimmed(ctx context.Context, js jetstream.JetStream, ledger, events int64, patience time.Duration) error {
	for end := time.Now().Add(patience); ; rest(ctx, 5*time.Millisecond) {
		within := true
		for name, bound := range map[string]int64{ledgerStream: ledger, eventStream: events} {
			s, err := js.Stream(ctx, name)
			if err != nil {
				return fmt.Errorf("stream %s: %w", name, err)
			}
			within = within && int64(s.CachedInfo().State.Bytes) <= bound
		}
		if within || time.Now().After(end) || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func decode(sequence uint64, subject string, headers nats.Header, data []byte) (history.Message, error) {
	message, err := decodeBody(subject, headers, data)
	message.Sequence, message.Raw = int64(sequence), raw(subject, headers, data)
	return message, err
}

func decodeBody(subject string, headers nats.Header, data []byte) (history.Message, error) {
	if strings.HasPrefix(subject, "quarantine.v1.") {
		n := &eventv1.QuarantineNotice{}
		err := proto.Unmarshal(data, n)
		return history.Message{
			Quarantined: true, Name: n.GetName(), Cursor: n.GetCursor(), Position: position(n.GetLedgerPosition()),
		}, err
	}
	e := &eventv1.PaymentStatusChanged{}
	if err := proto.Unmarshal(data, e); err != nil {
		return history.Message{}, err
	}
	if id := headers.Get("Nats-Msg-Id"); "events/"+id != e.GetName() {
		return history.Message{}, fmt.Errorf("Nats-Msg-Id %q is not that of %s", id, e.GetName())
	}
	changed := e.GetDisposition() == eventv1.Disposition_DISPOSITION_APPLIED || e.GetDisposition() == eventv1.Disposition_DISPOSITION_CORRECTION
	if changed != strings.HasPrefix(subject, "payments.v1.") {
		return history.Message{}, fmt.Errorf("%s is %v and was published on %s", e.GetName(), e.GetDisposition(), subject)
	}
	sum, err := content(e)
	return history.Message{
		Name: e.GetName(), Cursor: e.GetCursor(), Position: position(e.GetLedgerPosition()),
		Payment: e.GetPayment(), Version: e.GetPaymentVersion(), Changed: changed, Content: sum,
	}, err
}
