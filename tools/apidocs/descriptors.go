package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// descriptors are the files that the documents are made from, in the order of
// the set: what a file imports comes before it.
type descriptors []protoreflect.FileDescriptor

func readDescriptors(data []byte) (descriptors, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	var all descriptors
	for _, f := range set.GetFile() {
		d, err := files.FindFileByPath(f.GetName())
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// services returns the services that are reached over HTTP, in the order of their files.
func (all descriptors) services() []protoreflect.ServiceDescriptor {
	var services []protoreflect.ServiceDescriptor
	for _, f := range all {
		for i := range f.Services().Len() {
			services = append(services, f.Services().Get(i))
		}
	}
	return services
}

// message finds a message by its full name.
func (all descriptors) message(name protoreflect.FullName) (protoreflect.MessageDescriptor, error) {
	for _, f := range all {
		if f.Package() == name.Parent() {
			if m := f.Messages().ByName(name.Name()); m != nil {
				return m, nil
			}
		}
	}
	return nil, fmt.Errorf("no message %s", name)
}

// comment is what the proto says about d, as one line for each paragraph.
func comment(d protoreflect.Descriptor) string {
	text := d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments
	var b strings.Builder
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, "   ")
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			b.WriteString("\n\n")
			continue
		case indented:
			b.WriteString("\n    ")
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "\n"):
			b.WriteString(" ")
		}
		b.WriteString(line)
	}
	return strings.TrimSpace(b.String())
}

// route is the HTTP rule of a method; nil when it has none.
func route(m protoreflect.MethodDescriptor) *annotations.HttpRule {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	return rule
}

// eventDescriptors is a descriptor set of the published messages and what they
// are made of, without the options and imports that only the server needs.
func eventDescriptors(all descriptors) ([]byte, error) {
	set := &descriptorpb.FileDescriptorSet{}
	for _, f := range all {
		if f.Path() != "google/protobuf/timestamp.proto" && f.Package() != "paynorm.event.v1" {
			continue
		}
		d := protodesc.ToFileDescriptorProto(f)
		d.SourceCodeInfo, d.Options = nil, nil
		var kept []string
		for _, path := range d.GetDependency() {
			if strings.HasPrefix(path, "paynorm/event/") || strings.HasPrefix(path, "google/protobuf/") {
				kept = append(kept, path)
			}
		}
		d.Dependency = kept
		for _, m := range d.GetMessageType() {
			m.Options = nil
			for _, field := range m.GetField() {
				field.Options = nil
			}
		}
		set.File = append(set.File, d)
	}
	if len(set.GetFile()) == 0 {
		return nil, errors.New("no events among the descriptors")
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(set)
}

// enum finds an enum by its full name.
func (all descriptors) enum(name protoreflect.FullName) (protoreflect.EnumDescriptor, error) {
	for _, f := range all {
		if f.Package() == name.Parent() {
			if e := f.Enums().ByName(name.Name()); e != nil {
				return e, nil
			}
		}
	}
	return nil, fmt.Errorf("no enum %s", name)
}
