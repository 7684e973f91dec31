package main

import (
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// schemas are JSON schemas of messages and enums as protojson writes them.
// Asking for one by reference makes it.
type schemas struct {
	want []protoreflect.Descriptor
}

// ref points to the schema of d, and sees to it that it is there.
func (s *schemas) ref(d protoreflect.Descriptor, description string) object {
	if !slices.ContainsFunc(s.want, func(w protoreflect.Descriptor) bool { return w.FullName() == d.FullName() }) {
		s.want = append(s.want, d)
	}
	return refWith("schemas/"+string(d.Name()), description)
}

// components returns all schemas that were asked for, by name, and what they are made of.
func (s *schemas) components() object {
	made := map[string]object{}
	for len(made) < len(s.want) { // making one may ask for more
		switch d := s.want[len(made)].(type) {
		case protoreflect.MessageDescriptor:
			made[string(d.FullName())] = s.message(d)
		case protoreflect.EnumDescriptor:
			made[string(d.FullName())] = enum(d)
		}
	}
	var all object
	for _, d := range slices.SortedFunc(slices.Values(s.want), func(a, b protoreflect.Descriptor) int {
		return strings.Compare(string(a.Name()), string(b.Name()))
	}) {
		all = all.with(string(d.Name()), made[string(d.FullName())])
	}
	return all
}

func (s *schemas) message(m protoreflect.MessageDescriptor, without ...protoreflect.Name) object {
	properties, required := object{}, []string{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if slices.Contains(without, f.Name()) {
			continue
		}
		properties = properties.with(f.JSONName(), s.field(f))
		if hasBehavior(f, annotations.FieldBehavior_REQUIRED) {
			required = append(required, f.JSONName())
		}
	}
	schema := object{{"type", "object"}, {"description", comment(m)}, {"properties", properties}}
	if len(required) > 0 {
		schema = schema.with("required", required)
	}
	return schema
}

// field is the schema of a field, its comment included.
func (s *schemas) field(f protoreflect.FieldDescriptor) object {
	text := comment(f)
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		var names []string
		for i := range o.Fields().Len() {
			names = append(names, o.Fields().Get(i).JSONName())
		}
		text += " At most one of " + strings.Join(names, ", ") + " is set."
	}
	if f.IsList() {
		schema := object{{"type", "array"}, {"description", text}, {"items", s.value(f, "")}}
		if n := rules(f).GetRepeated().GetMaxItems(); n > 0 {
			schema = schema.with("maxItems", n)
		}
		return schema
	}
	return s.value(f, text)
}

// value is the schema of one value of a field.
func (s *schemas) value(f protoreflect.FieldDescriptor, text string) object {
	schema := object{}
	if text != "" {
		schema = schema.with("description", text)
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		switch f.Message().FullName() {
		case "google.protobuf.Timestamp":
			return append(object{{"type", "string"}, {"format", "date-time"}}, schema...)
		default:
			return s.ref(f.Message(), text)
		}
	case protoreflect.EnumKind:
		return s.ref(f.Enum(), text)
	case protoreflect.BoolKind:
		return append(object{{"type", "boolean"}}, schema...)
	case protoreflect.BytesKind:
		return append(object{{"type", "string"}, {"contentEncoding", "base64"}}, schema...)
	case protoreflect.Int32Kind:
		return append(append(object{{"type", "integer"}, {"format", "int32"}}, schema...), int32Limits(f)...)
	case protoreflect.Int64Kind:
		return append(object{{"type", "string"}, {"format", "int64"}, {"pattern", "^-?[0-9]+$"}}, schema...)
	default:
		return append(append(object{{"type", "string"}}, schema...), stringLimits(f)...)
	}
}

// rules are the limits of a field; of its values when it is a list.
func rules(f protoreflect.FieldDescriptor) *validate.FieldRules {
	r, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	return r
}

func valueRules(f protoreflect.FieldDescriptor) *validate.FieldRules {
	if f.IsList() {
		return rules(f).GetRepeated().GetItems()
	}
	return rules(f)
}

func int32Limits(f protoreflect.FieldDescriptor) (limits object) {
	r := valueRules(f).GetInt32()
	if r.HasGte() {
		limits = limits.with("minimum", r.GetGte())
	}
	if r.HasLte() {
		limits = limits.with("maximum", r.GetLte())
	}
	return limits
}

func stringLimits(f protoreflect.FieldDescriptor) (limits object) {
	r := valueRules(f).GetString()
	if r.HasMinLen() {
		limits = limits.with("minLength", r.GetMinLen())
	}
	if r.HasMaxLen() {
		limits = limits.with("maxLength", r.GetMaxLen())
	}
	if r.HasPattern() {
		limits = limits.with("pattern", r.GetPattern())
	}
	return limits
}

// enum lists the names of e. The comments of the values go into the description.
func enum(e protoreflect.EnumDescriptor) object {
	var names []string
	text := comment(e)
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		names = append(names, string(v.Name()))
		text += "\n\n" + string(v.Name()) + ": " + comment(v)
	}
	return object{{"type", "string"}, {"description", text}, {"enum", names}}
}

func hasBehavior(f protoreflect.FieldDescriptor, want annotations.FieldBehavior) bool {
	behaviors, _ := proto.GetExtension(f.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, want)
}
