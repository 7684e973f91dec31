package eventstream_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// onServer returns the stream of events as the server has it.
func onServer(t *testing.T, s *natsd.Server) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), eventstream.Name)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func open(t *testing.T, s *natsd.Server) *eventstream.Stream {
	t.Helper()
	stream, err := eventstream.Open(t.Context(), eventstream.Options{
		Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// notices are messages with the cursors from first on.
func notices(first, n int64) []eventstream.Message {
	var all []eventstream.Message
	for cursor := first; cursor < first+n; cursor++ {
		all = append(all, eventstream.Message{Notice: &eventv1.QuarantineNotice{
			Name: fmt.Sprintf("quarantined/q%d-0-0", cursor), Provider: "clip", Merchant: "acme", Cursor: cursor,
		}})
	}
	return all
}

// cursors reads the messages up to last.
func cursors(t *testing.T, s *eventstream.Stream, last int64) []int64 {
	t.Helper()
	var all []int64
	err := s.ReadAfter(t.Context(), 0, last, func(portion []eventstream.Message) error {
		for _, m := range portion {
			all = append(all, m.Cursor())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The server takes a thousand consumers of a stream, those of subscribers included.
func TestReadingLeavesNoConsumer(t *testing.T) {
	server := natsdtest.Start(t, "")
	s := open(t, server)
	if err := s.Publish(t.Context(), 0, notices(1, 3)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, cursors(t, s, 3)); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	stream := onServer(t, server)
	if n := stream.CachedInfo().State.Consumers; n != 0 {
		t.Errorf("%d consumers are left, want none", n)
	}
}

// Two publishers that both believe to be the only one: the second one's first
// message is refused, and then none of the others may slip in behind it.
func TestSecondPublisherIsRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name   string
		theirs int64 // messages that are published by the other one
		ours   int64
	}{
		{"one by one, one message too late", 1, 3},
		{"one by one, further behind", 3, 3},
		{"as a batch", 1, 20},
		{"as a batch, further behind", 30, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := natsdtest.Start(t, "")
			first, second := open(t, server), open(t, server)
			theirs, ours := notices(1, c.theirs), notices(1, c.ours)
			for _, m := range theirs {
				m.Notice.Name += "-other"
			}
			if err := first.Publish(t.Context(), 0, theirs); err != nil {
				t.Fatal(err)
			}
			if err := second.Publish(t.Context(), 0, ours); !errors.Is(err, eventstream.ErrConflict) {
				t.Errorf("the second publisher gets %v, want %v", err, eventstream.ErrConflict)
			}
			if last, m, err := second.Last(t.Context()); err != nil || last != c.theirs || m.Notice.GetName() != theirs[len(theirs)-1].Notice.GetName() {
				t.Errorf("the stream ends with %d, %s (%v); want %d messages of the first publisher only", last, m.Notice.GetName(), err, c.theirs)
			}
		})
	}
}

// Tools that know CloudEvents take a message for one when any of its headers begins
// with ce-, and then want all of them.
func TestEventsAndNoticesAreCloudEvents(t *testing.T) {
	server := natsdtest.Start(t, "")
	received, occurred := timestamppb.New(time.Date(2026, 5, 1, 8, 0, 1, 0, time.UTC)), timestamppb.New(time.Date(2026, 5, 1, 8, 0, 0, 5e8, time.UTC))
	messages := []eventstream.Message{
		{Event: &eventv1.PaymentStatusChanged{
			Name: "events/e1", Provider: "clip", Merchant: "acme", Payment: "payments/p1", OccurTime: occurred, ReceiveTime: received, Cursor: 1,
		}},
		{Notice: &eventv1.QuarantineNotice{
			Name: "quarantined/q1", Provider: "clip", Merchant: "acme", Delivery: "deliveries/d1-0", ReceiveTime: received, Cursor: 2,
			Reason: eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT,
		}},
	}
	if err := open(t, server).Publish(t.Context(), 0, messages); err != nil {
		t.Fatal(err)
	}
	stream := onServer(t, server)
	for i, want := range []map[string]string{
		{
			"content-type": "application/protobuf", "ce-specversion": "1.0", "ce-id": "e1",
			"ce-type": "paynorm.event.v1.PaymentStatusChanged", "ce-source": "/providers/clip/merchants/acme",
			"ce-subject": "payments/p1", "ce-time": "2026-05-01T08:00:00.5Z",
		},
		{
			"content-type": "application/protobuf", "ce-specversion": "1.0", "ce-id": "q1",
			"ce-type": "paynorm.event.v1.QuarantineNotice", "ce-source": "/providers/clip/merchants/acme",
			"ce-subject": "deliveries/d1-0", "ce-time": "2026-05-01T08:00:01Z",
			"Paynorm-Reason": "invalid_amount", "Paynorm-Delivery": "deliveries/d1-0",
		},
	} {
		raw, err := stream.GetMsg(t.Context(), uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, values := range raw.Header {
			if name != "traceparent" && !strings.HasPrefix(name, "Nats-") {
				got[name] = strings.Join(values, "|")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("headers of message %d (-want +got):\n%s", i+1, diff)
		}
	}
}
