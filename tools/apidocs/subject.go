package main

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

// part is one token of the subject that e is published on.
func part(e *eventv1.PaymentStatusChanged, index int) string {
	return strings.Split(eventstream.Subject(e), ".")[index]
}

// eventsOfKind is one event for each status that a kind has, in their order.
func eventsOfKind(kind eventv1.Kind) (events []*eventv1.PaymentStatusChanged) {
	fields := (&eventv1.PaymentStatusChanged{}).ProtoReflect().Descriptor().Fields()
	status := fields.ByName(protoreflect.Name(strings.ToLower(strings.TrimPrefix(kind.String(), "KIND_")) + "_status"))
	values := status.Enum().Values()
	for i := range values.Len() {
		if n := values.Get(i).Number(); n != 0 {
			e := &eventv1.PaymentStatusChanged{Kind: kind}
			e.ProtoReflect().Set(status, protoreflect.ValueOfEnum(n))
			events = append(events, e)
		}
	}
	return events
}

// eventHeaders are the headers of an event: CloudEvents 1.0 in binary mode.
func eventHeaders() object {
	return headers(
		header{"Nats-Msg-Id", "The event's ID: what follows events/ in its name.", ""},
		header{"content-type", "How the payload is encoded.", "application/protobuf,application/json"},
		header{"ce-specversion", "The version of CloudEvents.", "1.0"},
		header{"ce-id", "The same as Nats-Msg-Id.", ""},
		header{"ce-type", "The message's type.", "paynorm.event.v1.PaymentStatusChanged"},
		header{"ce-source", "Where it comes from: /providers/{provider}/merchants/{merchant}.", ""},
		header{"ce-subject", "The payment: payments/{id}.", ""},
		header{"ce-time", "When it happened (RFC 3339): the event's occurTime.", ""},
		header{"traceparent", "W3C trace context: the trace of the delivery, from the HTTP edge on. The same for the same delivery, also when it is not traced.", ""},
	)
}

// noticeHeaders are the headers of a quarantine notice, a CloudEvent too.
func noticeHeaders() object {
	return headers(
		header{"Nats-Msg-Id", "The notice's ID: what follows quarantined/ in its name.", ""},
		header{"content-type", "How the payload is encoded.", "application/protobuf,application/json"},
		header{"ce-specversion", "The version of CloudEvents.", "1.0"},
		header{"ce-id", "The same as Nats-Msg-Id.", ""},
		header{"ce-type", "The message's type.", "paynorm.event.v1.QuarantineNotice"},
		header{"ce-source", "Where it comes from: /providers/{provider}/merchants/{merchant}.", ""},
		header{"ce-subject", "The same as Paynorm-Delivery.", ""},
		header{"ce-time", "When the delivery was received (RFC 3339): the notice's receiveTime.", ""},
		header{"Paynorm-Reason", "Why the item was quarantined, in lower case: unmapped, invalid_amount, …", ""},
		header{"Paynorm-Delivery", "The delivery that holds the item: deliveries/{id}.", ""},
		header{"traceparent", "W3C trace context: the trace of the delivery, from the HTTP edge on. The same for the same delivery, also when it is not traced.", ""},
	)
}

type header struct{ name, description, values string }

// headers is the schema of headers that are always there. There may be more.
func headers(list ...header) object {
	var properties object
	var names []string
	for _, h := range list {
		schema := object{{"type", "string"}, {"description", h.description}}
		if h.values != "" {
			schema = schema.with("enum", strings.Split(h.values, ","))
		}
		properties, names = properties.with(h.name, schema), append(names, h.name)
	}
	return object{{"type", "object"}, {"properties", properties}, {"required", names}}
}
