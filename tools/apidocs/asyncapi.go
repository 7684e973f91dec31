package main

import (
	"fmt"
	"slices"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

const aboutSubjects = `paynorm publishes one event for each fact that a payment provider announced, in the JetStream stream PAYNORM_EVENTS. ` +
	`Nats-Msg-Id is the identity of a message: the same fact always has the same one. The sequence in the stream is the cursor of all doors.

The payload is protobuf, or the same as protojson when the configuration says events.encoding: json; content-type tells. ` +
	`Fields, enum values and headers may be added: pass over what you do not know.`

// asyncAPI describes what is published on NATS.
func asyncAPI(all descriptors) (object, error) {
	s := &schemas{}
	event, err := all.message("paynorm.event.v1.PaymentStatusChanged")
	if err != nil {
		return nil, err
	}
	notice, err := all.message("paynorm.event.v1.QuarantineNotice")
	if err != nil {
		return nil, err
	}
	message := func(payload object, title, kind string, headers object) object {
		return object{
			{"name", kind}, {"title", title}, {"contentType", "application/protobuf"},
			{"description", "The payload is shown as its JSON; the protobuf message " + kind + " has the same fields."},
			{"headers", headers}, {"payload", payload},
		}
	}
	var channels, operations object
	for _, c := range subjects() {
		channels = channels.with(c.name, c.channel())
		operations = operations.with("send"+strings.ToUpper(c.name[:1])+c.name[1:], object{
			{"action", "send"}, {"channel", object{{"$ref", "#/channels/" + c.name}}},
			{"summary", c.summary},
			{"messages", []object{{{"$ref", "#/channels/" + c.name + "/messages/" + c.message}}}},
		})
	}
	messages := object{
		{"PaymentStatusChanged", message(s.ref(event, ""), "A fact about a payment", string(event.FullName()), eventHeaders())},
		{"QuarantineNotice", message(s.ref(notice, ""), "An item that was kept and not published", string(notice.FullName()), noticeHeaders())},
	}
	return object{
		{"asyncapi", "3.0.0"},
		{"info", object{{"title", "paynorm events"}, {"version", "v1"}, {"description", aboutSubjects}}},
		{"defaultContentType", "application/protobuf"},
		{"servers", object{{"nats", object{
			{"host", "127.0.0.1:4222"}, {"protocol", "nats"},
			{"description", "The embedded server, where nats.address says; or the cluster of nats.url."},
		}}}},
		{"channels", channels},
		{"operations", operations},
		{"components", object{{"messages", messages}, {"schemas", s.components()}}},
	}, nil
}

// channel is a family of subjects that carry one kind of message.
type channel struct {
	name, address, summary, message string
	parameters                      object
}

func (c channel) channel() object {
	return object{
		{"address", c.address}, {"summary", c.summary},
		{"parameters", c.parameters},
		{"messages", object{{c.message, ref("messages/" + c.message)}}},
	}
}

// subjects are the families of subjects, taken apart from what the code that
// publishes makes of each kind and status.
func subjects() []channel {
	provider := member{"provider", object{{"description", "The provider's ID."}, {"enum", providerIDs()}}}
	merchant := member{"merchant", object{{"description", "The merchant's ID as configured."}, {"examples", []string{"acme"}}}}
	tail := ".{mode}.{provider}.{merchant}.{kind}.{status}"
	modes, kinds, statuses, byKind := tokens()
	parameters := object{
		{"mode", object{{"description", "Whether money is real."}, {"enum", modes}}}, provider, merchant,
		{"kind", object{{"description", "Which state machine the event belongs to."}, {"enum", kinds}}},
		{"status", object{{"description", "What became of it. " + byKind}, {"enum", statuses}}},
	}
	applied := root(eventv1.Disposition_DISPOSITION_APPLIED)
	observed := root(eventv1.Disposition_DISPOSITION_STALE)
	return []channel{
		{"payments", applied + tail, "Events that changed something (disposition APPLIED or CORRECTION). Who acts on each is never led backwards.", "PaymentStatusChanged", parameters},
		{"observations", observed + tail, "Events that changed nothing: late, repeated with other words, or impossible (disposition STALE, NO_CHANGE or ANOMALY).", "PaymentStatusChanged", parameters},
		{"quarantine", "quarantine.v1.{provider}.{merchant}", "Notices of items of authentic webhooks that no rule covers. They were kept and not published.", "QuarantineNotice", object{provider, merchant}},
	}
}

// root is what the subjects of events with a disposition begin with.
func root(d eventv1.Disposition) string {
	subject := eventstream.Subject(&eventv1.PaymentStatusChanged{Disposition: d})
	return strings.Join(strings.Split(subject, ".")[:2], ".")
}

// tokens are the words that subjects have for modes, kinds and statuses, and
// which status belongs to which kind.
func tokens() (modes, kinds, statuses []string, byKind string) {
	for mode := range eventv1.Mode_name {
		if mode != 0 {
			modes = append(modes, part(&eventv1.PaymentStatusChanged{Mode: eventv1.Mode(mode)}, 2))
		}
	}
	slices.Sort(modes)
	for kind := int32(1); kind <= int32(len(eventv1.Kind_name)-1); kind++ {
		var own []string
		for _, e := range eventsOfKind(eventv1.Kind(kind)) {
			own = append(own, part(e, 6))
		}
		kinds = append(kinds, part(&eventv1.PaymentStatusChanged{Kind: eventv1.Kind(kind)}, 5))
		byKind += fmt.Sprintf("For %s: %s. ", kinds[len(kinds)-1], strings.Join(own, ", "))
		for _, word := range own {
			if !slices.Contains(statuses, word) {
				statuses = append(statuses, word)
			}
		}
	}
	return modes, kinds, statuses, strings.TrimSpace(byKind)
}
