package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// list is a JSON object whose members keep their order.
type list[T any] []entry[T]

type entry[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("want an object (%w)", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value T
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*l = append(*l, entry[T]{name.(string), value})
	}
	return nil
}

func (l list[T]) find(name string) (T, bool) {
	for _, e := range l {
		if e.Name == name {
			return e.Value, true
		}
	}
	var none T
	return none, false
}

type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version, Description string }
	Tags    []*tag
	Paths   list[list[*operation]]

	Components struct {
		Schemas   list[*schema]
		Responses list[*response]
	}
}

type tag struct {
	Name, Description string
	Operations        []*operation `json:"-"`
}

type operation struct {
	Tags                              []string
	OperationID, Summary, Description string
	Parameters                        []parameter
	RequestBody                       *response
	Responses                         list[*response]
	Verb, Path                        string `json:"-"`
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                *schema
}

// response is an answer or a request body.
type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     list[struct{ Schema *schema }]
}

type schema struct {
	Ref                                string `json:"$ref"`
	Type, Format, Pattern, Description string
	ContentEncoding                    string
	Enum                               []string
	AllOf, AnyOf                       []*schema
	Items                              *schema
	Properties                         list[*schema]
	Required                           []string
	MaxLength, MaxItems                *int
	Minimum, Maximum                   *int64
}

// read parses a document and puts its operations below their tags.
func read(data []byte) (*document, error) {
	d := &document{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		return nil, fmt.Errorf("OpenAPI document: version %q is not 3.1", d.OpenAPI)
	}
	for _, path := range d.Paths {
		for _, verb := range path.Value {
			o := verb.Value
			o.Verb, o.Path = strings.ToUpper(verb.Name), path.Name
			i := slices.IndexFunc(d.Tags, func(t *tag) bool { return slices.Contains(o.Tags, t.Name) })
			if i < 0 {
				return nil, fmt.Errorf("OpenAPI document: %s has no tag", path.Name)
			}
			d.Tags[i].Operations = append(d.Tags[i].Operations, o)
			for j, answer := range o.Responses {
				if answer.Value.Ref == "" {
					continue
				}
				resolved, ok := d.Components.Responses.find(refName(answer.Value.Ref))
				if !ok {
					return nil, fmt.Errorf("OpenAPI document: no response %s", answer.Value.Ref)
				}
				o.Responses[j].Value = resolved
			}
		}
	}
	return d, nil
}

// refName is the last part of a reference.
func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// anchor makes a name fit for an ID of the page.
func anchor(kind, name string) string { return kind + "-" + strings.ReplaceAll(name, " ", "-") }

// paragraphs splits a text.
func paragraphs(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n\n")
}

// shape is what a value is: words, and the schema that they are about, if it has a name.
type shape struct{ Before, Ref, After string }

// typeOf says what a schema is, in a few words.
func typeOf(s *schema) shape {
	switch {
	case s == nil:
		return shape{}
	case s.Ref != "":
		return shape{Ref: refName(s.Ref)}
	case len(s.AllOf) == 1:
		return typeOf(s.AllOf[0])
	case len(s.AnyOf) > 0:
		return typeOf(s.AnyOf[0])
	case s.Items != nil:
		of := typeOf(s.Items)
		return shape{Before: "list of " + of.Before, Ref: of.Ref, After: of.After}
	case s.ContentEncoding != "":
		return shape{Before: s.ContentEncoding + " text"}
	case s.Format == "int64":
		return shape{Before: "integer, as text"}
	case s.Format == "date-time":
		return shape{Before: "time (RFC 3339)"}
	case s.Type == "":
		return shape{Before: "anything"}
	}
	return shape{Before: s.Type}
}

// limits says what a value may be.
func limits(s *schema) (all []string) {
	if s == nil {
		return nil
	}
	if len(s.Enum) > 0 {
		all = append(all, "one of "+strings.Join(s.Enum, ", "))
	}
	if s.Pattern != "" && s.Format != "int64" {
		all = append(all, "matches "+s.Pattern)
	}
	if s.MaxLength != nil {
		all = append(all, fmt.Sprintf("at most %d characters", *s.MaxLength))
	}
	if s.MaxItems != nil {
		all = append(all, fmt.Sprintf("at most %d", *s.MaxItems))
	}
	if s.Minimum != nil {
		all = append(all, fmt.Sprintf("from %d", *s.Minimum))
	}
	if s.Maximum != nil {
		all = append(all, fmt.Sprintf("up to %d", *s.Maximum))
	}
	return all
}
