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
	"google.golang.org/protobuf/types/known/timestamppb"
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

// fill makes m a NATS message in msg, which may have held another one of its kind
// before. The header names are those of the contract, in its case: NATS keeps it.
func (s *Stream) fill(msg *nats.Msg, m Message, body []byte) {
	msg.Subject, msg.Data = m.Subject(), body
	media := typeProtobuf
	if s.o.JSON {
		media = typeJSON
	}
	h := msg.Header
	set(h, contentType, media)
	if n := m.Notice; n != nil {
		s.describe(h, n, noticeType, n.GetDelivery(), n.GetReceiveTime())
		set(h, "Paynorm-Reason", word(n.GetReason().String(), "QUARANTINE_REASON_"))
		set(h, "Paynorm-Delivery", n.GetDelivery())
		return
	}
	e := m.Event
	s.describe(h, e, eventType, e.GetPayment(), e.GetOccurTime())
}

// described is what events and notices have in common.
type described interface {
	GetName() string
	GetProvider() string
	GetMerchant() string
	GetReceiveTime() *timestamppb.Timestamp
}

// describe sets the headers that identify a message: for NATS, as a CloudEvent about
// subject, and for traces.
func (s *Stream) describe(h nats.Header, d described, kind, subject string, at *timestamppb.Timestamp) {
	set(h, nats.MsgIdHdr, id(d.GetName()))
	set(h, "ce-specversion", "1.0")
	set(h, "ce-id", id(d.GetName()))
	set(h, "ce-type", kind)
	set(h, "ce-source", "/providers/"+d.GetProvider()+"/merchants/"+d.GetMerchant())
	set(h, "ce-subject", subject)
	set(h, "ce-time", at.AsTime().Format(time.RFC3339Nano))
	set(h, traceparent, s.o.Tracer.Header(tracing.OfDelivery(d.GetProvider(), d.GetMerchant(), d.GetReceiveTime().AsTime())))
}

// set gives a header its one value, in the place of the one before when there is one.
func set(h nats.Header, name, value string) {
	if values := h[name]; len(values) == 1 {
		values[0] = value
		return
	}
	h[name] = []string{value}
}

// content returns the event or notice.
func (m Message) content() proto.Message {
	if m.Notice != nil {
		return m.Notice
	}
	return m.Event
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
