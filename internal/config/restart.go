package config

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// NeedRestart names the settings, for example "data_dir" or "http.max_body_bytes",
// in which now differs from what a process was started with, and which it does not
// take over while it runs.
func NeedRestart(started, now *configv1.Config) (settings []string) {
	a, b := started.ProtoReflect(), now.ProtoReflect()
	for _, section := range differing(a, b) {
		name := string(section.Name())
		switch {
		case name == "endpoints" || name == "access": // are taken over
		case section.Message() != nil && !section.IsList() && a.Has(section) && b.Has(section):
			for _, member := range differing(a.Get(section).Message(), b.Get(section).Message()) {
				settings = append(settings, join(name, string(member.Name())))
			}
		default:
			settings = append(settings, name)
		}
	}
	return settings
}

// differing are the fields in which two messages of one type differ.
func differing(a, b protoreflect.Message) (fields []protoreflect.FieldDescriptor) {
	all := a.Descriptor().Fields()
	for i := range all.Len() {
		if field := all.Get(i); a.Has(field) != b.Has(field) || !a.Get(field).Equal(b.Get(field)) {
			fields = append(fields, field)
		}
	}
	return fields
}
