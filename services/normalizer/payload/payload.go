// Package payload reads provider JSON strictly: names are case-sensitive and
// must not repeat, text must be UTF-8, numbers keep their digits, and a missing
// member is not the same as null, zero or "".
package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrMalformed says that a body is not JSON by these rules.
var ErrMalformed = errors.New("malformed JSON")

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 32

// MaxValues is how many values, members included, a document may hold.
const MaxValues = 200_000

// Kind is the type of a value.
type Kind uint8

// The kinds of values. Missing is the kind of a member that is not there.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
	// Repeated is an element of a batch that repeats a member name, in itself or
	// further inside; see ParseBatch. It has no members.
	Repeated
)

// Value is a JSON value, a place in its document. The zero value is Missing.
type Value struct {
	nodes []node // from the value on
}

// node is a value in a document. Behind that of an object or an array are its
// members, each followed by what it holds.
type node struct {
	name string // of a member
	text string // of a string, a number as written, or a bool
	kind Kind
	size int32 // nodes of the value, this one included
}

// Parse reads data as exactly one JSON value. Errors wrap ErrMalformed and say
// where, never what.
func Parse(data []byte) (Value, error) { return newParser(data).parse() }

func (p *parser) parse() (Value, error) {
	if err := p.value("", 0); err != nil {
		return Value{}, p.malformed(err)
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Value{}, fmt.Errorf("%w: more than one value", ErrMalformed)
	}
	return Value{p.nodes}, nil
}

// ParseObject reads data as exactly one JSON object. Errors wrap ErrMalformed.
func ParseObject(data []byte) (Value, error) {
	v, err := Parse(data)
	if err == nil && v.Kind() != Object {
		err = fmt.Errorf("%w: not an object", ErrMalformed)
	}
	return v, err
}

// ParseBatch is ParseObject for bodies that hold notifications of their own in
// an array, which is the member batch of the root, one of several names. An
// element that repeats a member name is [Repeated], and the others are read.
func ParseBatch(data []byte, batch ...string) (Value, error) {
	p := newParser(data)
	p.batch = batch
	v, err := p.parse()
	if err == nil && v.Kind() != Object {
		return Value{}, fmt.Errorf("%w: not an object, or a member name occurs twice outside of the batch", ErrMalformed)
	}
	return v, err
}

// parser builds values. Texts are parts of one copy of the document, and all
// values lie in one slice: a body of 1 KB would otherwise cost a hundred small
// allocations.
type parser struct {
	src    string
	dec    *jsontext.Decoder
	offset int // in src, behind the token read last
	values int

	batch   []string // the members of the root in which elements may be Repeated
	inBatch bool

	nodes []node
}

func newParser(data []byte) *parser {
	return &parser{
		src: string(data),
		// A name that occurs twice is found below, without the decoder's copies of all names.
		dec: jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true)),
		// A guess: names end like that where nobody indents, and there are few elements
		// beside them. What lies beyond it is allocated as it comes.
		nodes: make([]node, 0, min(256, bytes.Count(data, []byte(`":`)))+4),
	}
}

func (p *parser) malformed(err error) error {
	if errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: after byte %d", ErrMalformed, p.dec.InputOffset())
}

// token reads the next token, and returns how it is written.
func (p *parser) token() (t jsontext.Token, written string, err error) {
	t, err = p.dec.ReadToken()
	if err != nil {
		return t, "", err
	}
	start, end := p.offset, int(p.dec.InputOffset())
	for between(p.src[start]) {
		start++
	}
	p.offset = end
	return t, p.src[start:end], nil
}

// between reports whether c may stand between two tokens.
func between(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ':', ',':
		return true
	}
	return false
}

// text is what a string token says.
func text(t jsontext.Token, written string) string {
	if strings.IndexByte(written, '\\') >= 0 {
		return t.String()
	}
	return written[1 : len(written)-1]
}

// value reads a value. Its node is appended, and those of what it holds.
func (p *parser) value(name string, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrMalformed, MaxDepth)
	}
	if p.values++; p.values > MaxValues {
		return fmt.Errorf("%w: more than %d values", ErrMalformed, MaxValues)
	}
	t, written, err := p.token()
	if err != nil {
		return err
	}
	n := node{name: name, text: written, size: 1}
	switch t.Kind() {
	case 'n':
		n.kind, n.text = Null, ""
	case 't', 'f':
		n.kind = Bool
	case '0':
		n.kind = Number
	case '"':
		n.kind, n.text = String, text(t, written)
	case '[':
		return p.array(name, depth)
	default:
		return p.object(name, depth)
	}
	p.nodes = append(p.nodes, n)
	return nil
}

func (p *parser) array(name string, depth int) error {
	at, repeated := len(p.nodes), false
	p.nodes = append(p.nodes, node{name: name, kind: Array})
	for p.dec.PeekKind() != ']' {
		element := len(p.nodes)
		if err := p.value("", depth+1); err != nil {
			return err
		}
		repeated = repeated || p.nodes[element].kind == Repeated
	}
	_, _, err := p.token()
	p.close(at, repeated && (depth != 1 || !p.inBatch))
	return err
}

func (p *parser) object(name string, depth int) error {
	at, repeated := len(p.nodes), false
	p.nodes = append(p.nodes, node{name: name, kind: Object})
	names := names{nodes: p, first: at + 1}
	for p.dec.PeekKind() != '}' {
		before := p.offset
		t, written, err := p.token()
		if err != nil {
			return err
		}
		name := text(t, written)
		if names.repeat(name) {
			if len(p.batch) == 0 {
				return fmt.Errorf("%w: a member name occurs twice before byte %d", ErrMalformed, before)
			}
			repeated = true
		}
		if depth == 0 {
			p.inBatch = slices.Contains(p.batch, name)
		}
		member := len(p.nodes)
		if err := p.value(name, depth+1); err != nil {
			return err
		}
		repeated = repeated || p.nodes[member].kind == Repeated
	}
	_, _, err := p.token()
	p.close(at, repeated)
	return err
}

// close ends the object or array at a place. Nothing is kept of what one holds that is Repeated.
func (p *parser) close(at int, repeated bool) {
	if repeated {
		p.nodes[at].kind = Repeated
		p.nodes = p.nodes[:at+1]
	}
	p.nodes[at].size = int32(len(p.nodes) - at)
}

// names finds out which names of an object occur twice.
type names struct {
	nodes *parser
	first int // the node of the first member
	n     int
	seen  map[string]bool // of large objects
}

func (s *names) repeat(name string) bool {
	const large = 32
	s.n++
	if s.n > large {
		if s.seen == nil {
			s.seen = make(map[string]bool, 2*large)
			s.each(func(known string) bool {
				s.seen[known] = true
				return false
			})
		}
		repeated := s.seen[name]
		s.seen[name] = true
		return repeated
	}
	return s.each(func(known string) bool { return known == name })
}

// each calls f with each name before until it returns true, and reports whether it did.
func (s *names) each(f func(string) bool) bool {
	nodes := s.nodes.nodes
	for i := s.first; i < len(nodes); i += int(nodes[i].size) {
		if f(nodes[i].name) {
			return true
		}
	}
	return false
}

// Kind returns the type of v.
func (v Value) Kind() Kind {
	if len(v.nodes) == 0 {
		return Missing
	}
	return v.nodes[0].kind
}

// Present reports whether v is there and not null.
func (v Value) Present() bool { return v.Kind() > Null }

// Get returns the member name of an object; Missing when v has none.
func (v Value) Get(name string) Value {
	for known, member := range v.Members() {
		if known == name {
			return member
		}
	}
	return Value{}
}

// Members are the members of an object in their order, nothing for anything else.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for e := range v.inner() {
			if !yield(e.nodes[0].name, e) {
				return
			}
		}
	}
}

// Elements returns the elements of an array, nil for anything else.
func (v Value) Elements() []Value {
	if v.Kind() != Array {
		return nil
	}
	n := 0
	for range v.inner() {
		n++
	}
	return slices.AppendSeq(make([]Value, 0, n), v.inner())
}

// inner are the values directly in an object or array.
func (v Value) inner() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for left := v.nodes[1:v.nodes[0].size]; len(left) > 0; left = left[left[0].size:] {
			if !yield(Value{left[:left[0].size]}) {
				return
			}
		}
	}
}

// Text returns the text of a string. ok is false for anything else. It is a
// copy, so that one ID in an event does not keep a whole body in memory.
func (v Value) Text() (text string, ok bool) {
	if len(v.nodes) == 0 {
		return "", false
	}
	return strings.Clone(v.nodes[0].text), v.Kind() == String
}

// Scalar returns the text of a string or the digits of a number as written,
// for members that providers send either way. ok is false for anything else.
func (v Value) Scalar() (text string, ok bool) {
	text, isString := v.Text()
	return text, isString || v.Kind() == Number
}
