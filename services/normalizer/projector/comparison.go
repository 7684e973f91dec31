package projector

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

// comparison takes messages in place of the stream and compares them with what
// is stored. Both are in the order of the ledger, so they are matched by their places.
type comparison struct {
	stored *stored
	report Report
}

// Encode implements publisher.
func (c *comparison) Encode([]eventstream.Message) error { return nil }

// Publish implements publisher.
func (c *comparison) Publish(_ context.Context, _ int64, messages []eventstream.Message) error {
	for _, m := range messages {
		if err := c.match(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) match(m eventstream.Message) error {
	c.report.Messages++
	if c.stored.first != nil && after(c.stored.first, m.Position()) {
		c.report.Trimmed++
		return nil
	}
	for {
		head, ok, err := c.stored.peek()
		switch {
		case err != nil:
			return err
		case ok && after(m.Position(), head.Position()):
			c.surplus(head)
			c.stored.advance()
			continue
		case ok && !after(head.Position(), m.Position()):
			c.stored.advance()
			if what := differences(m, head); len(what) > 0 {
				c.report.Different++
				c.list(Difference{Position: m.Position(), Name: m.Name(), Cursor: head.Cursor(), What: strings.Join(what, ", ")})
			}
		case after(m.Position(), c.stored.last):
			c.report.Pending++
		default:
			c.report.Missing++
			c.list(Difference{Position: m.Position(), Name: m.Name(), Cursor: m.Cursor(), What: "missing"})
		}
		return nil
	}
}

// end counts what is left in the stream.
func (c *comparison) end() error {
	for {
		head, ok, err := c.stored.peek()
		if err != nil || !ok {
			return err
		}
		c.surplus(head)
		c.stored.advance()
	}
}

func (c *comparison) surplus(m eventstream.Message) {
	c.report.Surplus++
	c.list(Difference{Position: m.Position(), Name: m.Name(), Cursor: m.Cursor(), What: "surplus"})
}

func (c *comparison) list(d Difference) {
	if len(c.report.Differences) < maxDifferences {
		c.report.Differences = append(c.report.Differences, d)
	}
}

// differences returns in what a stored message is not the one that the ledger gives.
func differences(given, stored eventstream.Message) (what []string) {
	if given.Subject() != stored.StoredOn {
		what = append(what, "subject")
	}
	var a, b proto.Message = given.Event, stored.Event
	switch {
	case (given.Notice == nil) != (stored.Notice == nil):
		return append(what, "kind of message")
	case given.Notice != nil:
		a, b = given.Notice, stored.Notice
	}
	x, y := a.ProtoReflect(), b.ProtoReflect()
	fields := x.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); differs(x, y, f) {
			what = append(what, string(f.Name()))
		}
	}
	return what
}

func differs(x, y protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	return x.Has(f) != y.Has(f) || !x.Get(f).Equal(y.Get(f))
}
