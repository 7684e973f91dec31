package serve

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	_ "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	_ "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// content are names of fields that hold what a provider sent, or who sent it: it
// can identify a person, or is a credential.
var content = []protoreflect.Name{"body", "plaintext", "headers", "raw_query", "path", "remote_address", "value"}

// Fields that can identify a person are marked in the protos (debug_redact), and no
// field of an event or of a notice has to be.
func TestFieldsWithPersonalDataAreMarked(t *testing.T) {
	marked := 0
	var visit func(protoreflect.MessageDescriptors)
	visit = func(messages protoreflect.MessageDescriptors) {
		for i := range messages.Len() {
			m := messages.Get(i)
			if m.IsMapEntry() {
				continue
			}
			for j := range m.Fields().Len() {
				f := m.Fields().Get(j)
				o, _ := f.Options().(*descriptorpb.FieldOptions)
				if o.GetDebugRedact() {
					marked++
				}
				if want := slices.Contains(content, f.Name()); want != o.GetDebugRedact() && f.FullName() != "paynorm.normalizer.v1.IssueTokenResponse.answer" {
					t.Errorf("%s: debug_redact is %t, want %t", f.FullName(), o.GetDebugRedact(), want)
				}
				if o.GetDebugRedact() && strings.HasPrefix(string(f.FullName()), "paynorm.event.") {
					t.Errorf("%s is part of what is published and may identify a person", f.FullName())
				}
			}
			visit(m.Messages())
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(f.Package()), "paynorm.") && f.Package() != "paynorm.config.v1" {
			visit(f.Messages())
		}
		return true
	})
	if marked < 20 {
		t.Errorf("only %d fields are marked", marked)
	}
}
