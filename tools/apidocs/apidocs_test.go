package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

const documents = "../../docs/"

func TestOpenAPIIsValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(documents + "openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEachOperationSaysWhatItNeeds(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(documents + "openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for verb, o := range item.Operations() {
			if other, twice := seen[o.OperationID]; twice || o.OperationID == "" {
				t.Errorf("%s %s has the operation ID %q, as %s has", verb, path, o.OperationID, other)
			}
			seen[o.OperationID] = path
			if o.Summary == "" || len(o.Tags) != 1 {
				t.Errorf("%s %s: summary %q, tags %v", verb, path, o.Summary, o.Tags)
			}
			problem := o.Responses.Default()
			if problem == nil || problem.Value.Content.Get("application/problem+json") == nil {
				t.Errorf("%s %s does not say what errors look like", verb, path)
			}
		}
	}
}

// readJSON reads a document as the schema library wants it.
func readJSON(t *testing.T, name string) any {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatalf("run make tools: %v", err)
	}
	defer f.Close()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestAsyncAPIIsValid(t *testing.T) {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("asyncapi.json", readJSON(t, "../../.cache/asyncapi/node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json")); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	document := readJSON(t, documents+"asyncapi.json")
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
	// The schema can refuse.
	document.(map[string]any)["channels"] = 1
	if schema.Validate(document) == nil {
		t.Error("a document without channels passes")
	}
}

// filled is an event with a value in each field that a schema has a form for.
func filled() *eventv1.PaymentStatusChanged {
	id := strings.Repeat("0", 32)
	amount := &eventv1.Money{CurrencyCode: "MXN", MinorUnits: 196236, Exponent: 2}
	return &eventv1.PaymentStatusChanged{
		Name: "events/e" + id, Payment: "payments/p" + id, Provider: "clip", Merchant: "acme", ProviderPaymentId: "x",
		Kind: eventv1.Kind_KIND_PAYMENT, Mode: eventv1.Mode_MODE_LIVE, Direction: eventv1.Direction_DIRECTION_INBOUND,
		Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		Final:  true, PaymentVersion: 3, Disposition: eventv1.Disposition_DISPOSITION_APPLIED, Amount: amount, Fee: amount,
		Reason: &eventv1.Reason{Code: "awaiting_cash"}, OccurTime: timestamppb.Now(), MappingVersion: 1,
		LedgerPosition: &eventv1.LedgerPosition{Sequence: 7}, Cursor: 1 << 60,
	}
}

func TestEventsAreAsTheirSchemaSays(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	if err := c.AddResource("doc.json", readJSON(t, documents+"asyncapi.json")); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("doc.json#/components/schemas/PaymentStatusChanged")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(change func(map[string]any)) error {
		text, err := protojson.Marshal(filled())
		if err != nil {
			t.Fatal(err)
		}
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		change(event)
		return schema.Validate(event)
	}
	if err := valid(func(map[string]any) {}); err != nil {
		t.Errorf("an event is refused: %v", err)
	}
	for name, change := range map[string]func(map[string]any){
		"a number as cursor": func(e map[string]any) { e["cursor"] = 12.0 },
		"no such kind":       func(e map[string]any) { e["kind"] = "KIND_X" },
		"another name":       func(e map[string]any) { e["name"] = "events/x" },
		"no time":            func(e map[string]any) { e["occurTime"] = "yesterday" },
		"text as amount":     func(e map[string]any) { e["amount"] = "1" },
	} {
		if valid(change) == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

func TestDescriptorSetDecodesEvents(t *testing.T) {
	data, err := os.ReadFile(documents + "events.binpb")
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("paynorm.event.v1.PaymentStatusChanged")
	if err != nil {
		t.Fatal(err)
	}
	event := filled()
	binary, err := proto.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	decoded := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
	if err := proto.Unmarshal(binary, decoded); err != nil {
		t.Fatal(err)
	}
	if len(decoded.GetUnknown()) > 0 {
		t.Error("the set does not know all fields")
	}
	text := func(m proto.Message) (document any) {
		b, err := protojson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &document); err != nil {
			t.Fatal(err)
		}
		return document
	}
	if diff := cmp.Diff(text(event), text(decoded)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
