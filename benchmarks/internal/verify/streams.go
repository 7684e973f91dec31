package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

// Paynorm reads the ledger and the events of paynorm into c and compares both
// with what was sent.
func Paynorm(ctx context.Context, js jetstream.JetStream, c *Check) error {
	var previous []byte
	ordinal := int64(0)
	err := read(ctx, js, "PAYNORM_LEDGER", func(_ string, _ uint64, data []byte) error {
		var commit ledgerv1.Commit
		if err := proto.Unmarshal(data, &commit); err != nil {
			return err
		}
		if ordinal++; commit.GetOrdinal() != ordinal || !bytes.Equal(commit.GetPreviousSha256(), previous) {
			c.problem(broken, "commit %d in place %d", commit.GetOrdinal(), ordinal)
		}
		sum := sha256.Sum256(data)
		previous = sum[:]
		var bodies [][]byte
		for _, d := range commit.GetDeliveries() {
			bodies = append(bodies, d.GetBody())
		}
		c.Commit(bodies)
		return nil
	})
	if err != nil {
		return err
	}
	c.Deliveries()
	err = read(ctx, js, "PAYNORM_EVENTS", func(subject string, sequence uint64, data []byte) error {
		if strings.HasPrefix(subject, "quarantine.") {
			c.problem(notEvent, "%s", subject)
			return nil
		}
		var e eventv1.PaymentStatusChanged
		if err := proto.Unmarshal(data, &e); err != nil {
			return err
		}
		c.Event(subject, sequence, &e)
		return nil
	})
	c.Events()
	return err
}

// Baseline reads the one stream of the baseline into c and compares it with
// what was sent. attempt finds a delivery by its transaction_id.
func Baseline(ctx context.Context, js jetstream.JetStream, c *Check, attempt func(transactionID string) (seq uint64, ok bool)) error {
	err := read(ctx, js, "EVENTS", func(subject string, _ uint64, data []byte) error {
		id, err := BaselineAttempt(data)
		seq, ok := attempt(id)
		c.subject(subject, "payments.v1.", c.store(seq, ok, data))
		return err
	})
	c.Deliveries()
	c.report.Events, c.report.Applied = c.report.Stored, c.report.Stored
	return err
}

// BaselineAttempt returns the provider's attempt ID in an event of the baseline.
func BaselineAttempt(event []byte) (string, error) {
	var e struct {
		ID string `json:"provider_attempt_id"`
	}
	err := json.Unmarshal(event, &e)
	return e.ID, err
}

// PaynormAttempt returns the provider's attempt ID in an event of paynorm.
func PaynormAttempt(event []byte) (string, error) {
	var e eventv1.PaymentStatusChanged
	err := proto.Unmarshal(event, &e)
	return e.GetProviderAttemptId(), err
}

// read hands all messages that a stream has at this moment to handle, in order.
func read(ctx context.Context, js jetstream.JetStream, name string, handle func(subject string, sequence uint64, data []byte) error) error {
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
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2000))
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
		if err := handle(m.Subject(), meta.Sequence.Stream, m.Data()); err != nil {
			return fmt.Errorf("stream %s, message %d: %w", name, meta.Sequence.Stream, err)
		}
		if meta.Sequence.Stream >= last {
			return nil
		}
	}
}
