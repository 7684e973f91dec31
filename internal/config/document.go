package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

type position struct{ line, column int }

// document is where the fields of a configuration stand in its file. Fields are
// written as protovalidate writes them: "endpoints[1].auth[0].url_token".
type document struct {
	values   map[string]position // by field
	fields   map[position]string // the innermost field whose value starts there
	empty    map[string]bool     // lists without items, as in "auth:", which decoding does not take for lists
	problems []Problem           // unknown fields, fields given twice, nulls
}

// at is the position of field or, where the file leaves it out, of the field that holds it.
func (d *document) at(field string) position {
	for {
		if pos, ok := d.values[field]; ok {
			return pos
		}
		if field == "" {
			return position{1, 1}
		}
		field = parent(field)
	}
}

// problem is a problem of field, wherever that stands.
func (d *document) problem(field, format string, args ...any) Problem {
	return problemAt(d.at(field), field, format, args...)
}

func problemAt(pos position, field, format string, args ...any) Problem {
	return Problem{Line: pos.line, Column: pos.column, Field: field, Message: fmt.Sprintf(format, args...)}
}

// parseDocument reads data as one YAML document. problems are those that leave
// nothing to look at.
func parseDocument(data []byte) (doc *document, problems []Problem) {
	doc = &document{values: map[string]position{}, fields: map[position]string{}, empty: map[string]bool{}}
	if pos, ok := foreignText(data); ok {
		return nil, []Problem{problemAt(pos, "", "want UTF-8 with lines that end in a line feed")}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	err := decoder.Decode(&root)
	if errors.Is(err, io.EOF) { // nothing but comments
		return doc, nil
	}
	if err != nil {
		return nil, []Problem{syntaxProblem(err)}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, []Problem{problemAt(position{second.Line, second.Column}, "", "a second document; want one")}
	} else if !errors.Is(err, io.EOF) {
		return nil, []Problem{syntaxProblem(err)}
	}
	doc.message(root.Content[0], (&configv1.Config{}).ProtoReflect().Descriptor(), "")
	return doc, nil
}

// foreignText finds what YAML would read and the position of errors would not
// survive: other encodings, and the line ends CR, NEL, LS and PS.
func foreignText(data []byte) (position, bool) {
	line, column := 1, 1
	for i, r := range string(data) {
		switch {
		case r == utf8.RuneError && !bytes.HasPrefix(data[i:], []byte("\uFFFD")),
			r == '\u0085' || r == '\u2028' || r == '\u2029',
			r == '\r' && !bytes.HasPrefix(data[i:], []byte("\r\n")):
			return position{line, column}, true
		case r == '\n':
			line, column = line+1, 1
		default:
			column++
		}
	}
	return position{}, false
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntaxProblem reads the line number out of the text of a YAML error, the only place that has it.
func syntaxProblem(err error) Problem {
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	return problemAt(position{line, 1}, "", "not YAML: %s", message)
}

// message notes the fields of a message. Only the documented spelling of a name
// counts; protoyaml would take field numbers and camel case too, and would let
// the later of two spellings win.
func (d *document) message(node *yaml.Node, desc protoreflect.MessageDescriptor, path string) {
	d.note(node, path)
	if node.Kind != yaml.MappingNode {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := join(path, shown(key.Value))
		pos := position{key.Line, key.Column}
		field := desc.Fields().ByName(protoreflect.Name(key.Value))
		switch line, twice := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || field == nil:
			d.problems = append(d.problems, problemAt(pos, name, "unknown field; known are %s", names(desc)))
		case twice:
			d.problems = append(d.problems, problemAt(pos, name, "given at line %d already", line))
		default:
			seen[key.Value] = key.Line
			d.field(value, field, name)
		}
	}
}

func (d *document) field(node *yaml.Node, field protoreflect.FieldDescriptor, path string) {
	switch {
	case field.IsList():
		d.note(node, path)
		d.empty[path] = node.Tag == "!!null"
		if node.Kind != yaml.SequenceNode {
			return
		}
		for i, item := range node.Content {
			d.item(item, field, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		d.item(node, field, path)
	}
}

func (d *document) item(node *yaml.Node, field protoreflect.FieldDescriptor, path string) {
	if field.Message() != nil {
		d.message(node, field.Message(), path)
		return
	}
	d.note(node, path)
	if node.Tag == "!!null" && node.Value != "" {
		d.problems = append(d.problems, d.problem(path, "null is no value; leave the field out"))
	}
}

func (d *document) note(node *yaml.Node, path string) {
	pos := position{node.Line, node.Column}
	d.values[path] = pos
	d.fields[pos] = path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// shown keeps a name that is none from breaking the line of its error.
func shown(name string) string {
	if protoreflect.Name(name).IsValid() {
		return name
	}
	return strconv.Quote(name)
}

func names(desc protoreflect.MessageDescriptor) string {
	var list []byte
	for i := range desc.Fields().Len() {
		if i > 0 {
			list = append(list, ", "...)
		}
		list = append(list, desc.Fields().Get(i).Name()...)
	}
	return string(list)
}
