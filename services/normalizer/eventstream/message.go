package eventstream

import (
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/tracing"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const (
	contentType  = "content-type"
	traceparent  = "traceparent"
	typeJSON     = "application/json"
	typeProtobuf = "application/protobuf"
	eventType    = "paynorm.event.v1.PaymentStatusChanged"
	noticeType   = "paynorm.event.v1.QuarantineNotice"
)

// Subject returns where e is published:
// payments.v1.<mode>.<provider>.<merchant>.<kind>.<status> when it changed
// something, else observations.v1 with the same tail.
func Subject(e *eventv1.PaymentStatusChanged) string {
	root := "observations.v1."
	switch e.GetDisposition() {
	case eventv1.Disposition_DISPOSITION_APPLIED, eventv1.Disposition_DISPOSITION_CORRECTION:
		root = "payments.v1."
	}
	kind := word(e.GetKind().String(), "KIND_")
	var status string
	switch e.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		status = word(e.GetRefundStatus().String(), "REFUND_STATUS_")
	case eventv1.Kind_KIND_DISPUTE:
		status = word(e.GetDisputeStatus().String(), "DISPUTE_STATUS_")
	case eventv1.Kind_KIND_PROOF:
		status = word(e.GetProofStatus().String(), "PROOF_STATUS_")
	default:
		status = word(e.GetPaymentStatus().String(), "PAYMENT_STATUS_")
	}
	return root + word(e.GetMode().String(), "MODE_") + "." + e.GetProvider() + "." + e.GetMerchant() + "." + kind + "." + status
}

func word(enum, prefix string) string { return strings.ToLower(strings.TrimPrefix(enum, prefix)) }

// encode returns m as a NATS message. The header names are those of the
// contract, in its case: NATS keeps it.
func (s *Stream) encode(m Message) (*nats.Msg, error) {
	var body proto.Message = m.Event
	if m.Notice != nil {
		body = m.Notice
	}
	data, media, err := s.body(body)
	if err != nil {
		return nil, err
	}
	if m.Notice != nil {
		n := m.Notice
		return &nats.Msg{Subject: m.Subject(), Data: data, Header: nats.Header{
			nats.MsgIdHdr:      {id(n.GetName())},
			contentType:        {media},
			"ce-type":          {noticeType},
			"Paynorm-Reason":   {word(n.GetReason().String(), "QUARANTINE_REASON_")},
			"Paynorm-Delivery": {n.GetDelivery()},
			traceparent:        {s.o.Tracer.Header(tracing.OfDelivery(n.GetProvider(), n.GetMerchant(), n.GetReceiveTime().AsTime()))},
		}}, nil
	}
	e := m.Event
	return &nats.Msg{Subject: Subject(e), Data: data, Header: nats.Header{
		nats.MsgIdHdr:    {id(e.GetName())},
		contentType:      {media},
		"ce-specversion": {"1.0"},
		"ce-id":          {id(e.GetName())},
		"ce-type":        {eventType},
		"ce-source":      {"/providers/" + e.GetProvider() + "/merchants/" + e.GetMerchant()},
		"ce-subject":     {e.GetPayment()},
		"ce-time":        {e.GetOccurTime().AsTime().Format(time.RFC3339Nano)},
		traceparent:      {s.o.Tracer.Header(tracing.OfDelivery(e.GetProvider(), e.GetMerchant(), e.GetReceiveTime().AsTime()))},
	}}, nil
}

func (s *Stream) body(m proto.Message) (data []byte, media string, err error) {
	if s.o.JSON {
		data, err = protojson.Marshal(m)
		return data, typeJSON, err
	}
	data, err = proto.Marshal(m)
	return data, typeProtobuf, err
}

// id returns the last segment of a resource name.
func id(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// decode reads a message of the stream in either encoding.
func decode(subject string, header nats.Header, data []byte) (Message, error) {
	m := Message{StoredOn: subject}
	var body proto.Message
	if strings.HasPrefix(subject, "quarantine.") {
		m.Notice = &eventv1.QuarantineNotice{}
		body = m.Notice
	} else {
		m.Event = &eventv1.PaymentStatusChanged{}
		body = m.Event
	}
	unmarshal := proto.Unmarshal
	if values := header[contentType]; len(values) > 0 && values[0] == typeJSON {
		unmarshal = protojson.Unmarshal
	} else {
		m.Data = data
	}
	if err := unmarshal(data, body); err != nil {
		return Message{}, fmt.Errorf("stream %s: a message on %s cannot be read: %w", Name, subject, err)
	}
	return m, nil
}
