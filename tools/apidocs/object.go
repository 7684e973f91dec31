package main

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object that keeps the order of its members, which is the
// order that readers see.
type object []member

type member struct {
	name  string
	value any
}

// with returns o and one member more.
func (o object) with(name string, value any) object { return append(o, member{name, value}) }

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			if j == 1 {
				b.WriteByte(':')
			}
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(part); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// ref points to a part of the document.
func ref(path string) object { return object{{"$ref", "#/components/" + path}} }

// refWith points to a schema and says more about its use here.
func refWith(path, description string) object {
	if description == "" {
		return ref(path)
	}
	return object{{"description", description}, {"allOf", []object{ref(path)}}}
}
