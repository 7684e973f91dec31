package client

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Message is how an event or notice came.
type Message struct {
	Subject string
	Header  nats.Header
	Data    []byte // as it was published
	Cursor  int64  // its sequence in the stream
	Try     int    // 1 when it is delivered for the first time
}

// Event is a fact about a payment. A value of an enum that this program does not
// know is kept as its number when the payload is protobuf. In JSON it is a name,
// and the field stays unset: KindWord and StatusWord have the words, and Data has everything.
type Event struct {
	*eventv1.PaymentStatusChanged
	Message
}

// Notice tells of an item that was kept and not published.
type Notice struct {
	*eventv1.QuarantineNotice
	Message
}

// KindWord is the event's kind as its subject says it, for example "refund",
// also when this program does not know it.
func (e *Event) KindWord() string { return e.token(5) }

// StatusWord is the event's status as its subject says it, for example
// "succeeded", also when this program does not know it.
func (e *Event) StatusWord() string { return e.token(6) }

func (m Message) token(index int) string {
	tokens := strings.Split(m.Subject, ".")
	if len(tokens) <= index {
		return ""
	}
	return tokens[index]
}

// received is a message with its payload; one of event and notice is set.
type received struct {
	Message
	event  *Event
	notice *Notice
}

// name is the identity of the event or notice.
func (r received) name() string {
	if r.notice != nil {
		return r.notice.GetName()
	}
	return r.event.GetName()
}

// decode reads a message in the encoding that its content-type says. The
// envelope is returned with an error too.
func decode(msg jetstream.Msg) (received, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return received{}, err
	}
	r := received{Message: Message{
		Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data(),
		Cursor: int64(meta.Sequence.Stream), Try: int(meta.NumDelivered),
	}}
	var payload proto.Message
	if strings.HasPrefix(r.Subject, "quarantine.") {
		r.notice = &Notice{&eventv1.QuarantineNotice{}, r.Message}
		payload = r.notice.QuarantineNotice
	} else {
		r.event = &Event{&eventv1.PaymentStatusChanged{}, r.Message}
		payload = r.event.PaymentStatusChanged
	}
	if strings.HasPrefix(r.Header.Get("content-type"), "application/json") {
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(r.Data, payload)
	} else {
		err = proto.Unmarshal(r.Data, payload)
	}
	if err == nil && r.name() == "" {
		err = errors.New("the message has no name")
	}
	return r, err
}
