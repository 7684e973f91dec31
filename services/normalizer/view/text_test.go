package view_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func TestTextsAreReadFromTheProtobuf(t *testing.T) {
	event := dataset.New(1).Batch(1).Events[0]
	encoded, err := proto.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, e := range []*eventv1.PaymentStatusChanged{event, {}} {
		message := e.ProtoReflect()
		fields := message.Descriptor().Fields()
		data := encoded
		if e != event {
			data = nil
		}
		for i := range fields.Len() {
			f := fields.Get(i)
			if f.Kind() != protoreflect.StringKind || f.IsList() || f.IsMap() {
				continue
			}
			compared++
			if got, err := view.FieldText(data, f.Number()); err != nil || got != message.Get(f).String() {
				t.Errorf("%s = %q, %v, want %q", f.Name(), got, err, message.Get(f))
			}
		}
	}
	if compared < 20 {
		t.Errorf("%d texts were compared", compared)
	}
}

func TestDamagedProtobufHasNoText(t *testing.T) {
	event := dataset.New(1).Batch(1).Events[0]
	encoded, err := proto.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{encoded[:len(encoded)-1], {0xff}, {0x0a, 0x05, 'a'}, {0x00}} {
		if text, err := view.FieldText(damaged, 1); !errors.Is(err, view.ErrUnusable) {
			t.Errorf("%d bytes give %q, %v, want ErrUnusable", len(damaged), text, err)
		}
	}
}
