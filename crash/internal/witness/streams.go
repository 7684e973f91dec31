package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
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

// each calls handle with all messages of a stream in order.
func each(ctx context.Context, js jetstream.JetStream, name string, handle func(sequence uint64, m jetstream.Msg) error) error {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	last := stream.CachedInfo().State.LastSeq
	if last == 0 {
		return nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		if err := handle(meta.Sequence.Stream, m); err != nil {
			return fmt.Errorf("stream %s, message %d: %w", name, meta.Sequence.Stream, err)
		}
		if meta.Sequence.Stream >= last {
			return nil
		}
	}
}

// Ledger reads all deliveries, and checks the chain of commits on the way.
func Ledger(ctx context.Context, js jetstream.JetStream) ([]history.Stored, error) {
	var all []history.Stored
	var previous []byte
	err := each(ctx, js, ledgerStream, func(sequence uint64, m jetstream.Msg) error {
		c := &ledgerv1.Commit{}
		if err := proto.Unmarshal(m.Data(), c); err != nil {
			return err
		}
		if c.GetOrdinal() != int64(sequence) || !bytes.Equal(c.GetPreviousSha256(), previous) {
			return errors.New("does not follow the commit before it")
		}
		sum := sha256.Sum256(m.Data())
		previous = sum[:]
		for i, d := range c.GetDeliveries() {
			all = append(all, history.Stored{
				Position: history.Position{Commit: c.GetOrdinal(), Delivery: i},
				Provider: d.GetProvider(), Body: sha256.Sum256(d.GetBody()),
			})
		}
		return nil
	})
	return all, err
}

// Events reads all messages of the event stream.
func Events(ctx context.Context, js jetstream.JetStream) ([]history.Message, error) {
	var all []history.Message
	err := each(ctx, js, eventStream, func(sequence uint64, m jetstream.Msg) error {
		message, err := decode(m)
		message.Sequence, message.Raw = int64(sequence), raw(m)
		all = append(all, message)
		return err
	})
	return all, err
}

func decode(m jetstream.Msg) (history.Message, error) {
	if strings.HasPrefix(m.Subject(), "quarantine.v1.") {
		n := &eventv1.QuarantineNotice{}
		err := proto.Unmarshal(m.Data(), n)
		return history.Message{
			Quarantined: true, Name: n.GetName(), Cursor: n.GetCursor(), Position: position(n.GetLedgerPosition()),
		}, err
	}
	e := &eventv1.PaymentStatusChanged{}
	if err := proto.Unmarshal(m.Data(), e); err != nil {
		return history.Message{}, err
	}
	if id := m.Headers().Get("Nats-Msg-Id"); "events/"+id != e.GetName() {
		return history.Message{}, fmt.Errorf("Nats-Msg-Id %q is not that of %s", id, e.GetName())
	}
	changed := e.GetDisposition() == eventv1.Disposition_DISPOSITION_APPLIED || e.GetDisposition() == eventv1.Disposition_DISPOSITION_CORRECTION
	if changed != strings.HasPrefix(m.Subject(), "payments.v1.") {
		return history.Message{}, fmt.Errorf("%s is %v and was published on %s", e.GetName(), e.GetDisposition(), m.Subject())
	}
	sum, err := content(e)
	return history.Message{
		Name: e.GetName(), Cursor: e.GetCursor(), Position: position(e.GetLedgerPosition()),
		Payment: e.GetPayment(), Version: e.GetPaymentVersion(), Changed: changed, Content: sum,
	}, err
}
