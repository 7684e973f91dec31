// Package payload reads provider JSON strictly: names are case-sensitive and
// must not repeat, text must be UTF-8, numbers keep their digits, and a missing
// member is not the same as null, zero or "".
package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// Value is a JSON value. The zero value is Missing.
type Value struct {
	kind     Kind
	text     string // of a string, a number as written, or a bool
	names    []string
	elements []Value // of an array, or beside names of an object
}

// Parse reads data as exactly one JSON value. Errors wrap ErrMalformed and say
// where, never what.
func Parse(data []byte) (Value, error) { return newParser(data).parse() }

func (p *parser) parse() (Value, error) {
	v, err := p.value(0)
	if err != nil {
		return Value{}, p.malformed(err)
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Value{}, fmt.Errorf("%w: more than one value", ErrMalformed)
	}
	return v, nil
}

// ParseObject reads data as exactly one JSON object. Errors wrap ErrMalformed.
func ParseObject(data []byte) (Value, error) {
	v, err := Parse(data)
	if err == nil && v.kind != Object {
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
	if err == nil && v.kind != Object {
		return Value{}, fmt.Errorf("%w: not an object, or a member name occurs twice outside of the batch", ErrMalformed)
	}
	return v, err
}

// parser builds values. Texts are parts of one copy of the document, and the
// members of all objects lie in two common slices: a body of 1 KB would
// otherwise cost a hundred small allocations.
type parser struct {
	src    string
	dec    *jsontext.Decoder
	offset int // in src, behind the token read last
	values int

	batch   []string // the members of the root in which elements may be Repeated
	inBatch bool

	names    []string // of the finished objects
	elements []Value  // of the finished objects and arrays
	open     []member // of the objects and arrays that are not finished
}

type member struct {
	name  string
	value Value
}

func newParser(data []byte) *parser {
	// A guess: a document rarely has more colons than members, and few elements
	// beside them. What lies beyond it is allocated as it comes.
	members := min(256, bytes.Count(data, []byte(":")))
	return &parser{
		src: string(data),
		// A name that occurs twice is found below, without the decoder's copies of all names.
		dec:      jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true)),
		names:    make([]string, 0, members),
		elements: make([]Value, 0, members+4),
		open:     make([]member, 0, min(members, 32)),
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

func (p *parser) value(depth int) (Value, error) {
	if depth > MaxDepth {
		return Value{}, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, MaxDepth)
	}
	if p.values++; p.values > MaxValues {
		return Value{}, fmt.Errorf("%w: more than %d values", ErrMalformed, MaxValues)
	}
	t, written, err := p.token()
	if err != nil {
		return Value{}, err
	}
	switch t.Kind() {
	case 'n':
		return Value{kind: Null}, nil
	case 't', 'f':
		return Value{kind: Bool, text: written}, nil
	case '0':
		return Value{kind: Number, text: written}, nil
	case '"':
		return Value{kind: String, text: text(t, written)}, nil
	case '[':
		return p.array(depth)
	default:
		return p.object(depth)
	}
}

func (p *parser) array(depth int) (Value, error) {
	start, repeated := len(p.open), false
	for p.dec.PeekKind() != ']' {
		e, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		repeated = repeated || e.kind == Repeated
		p.open = append(p.open, member{value: e})
	}
	_, _, err := p.token()
	if isBatch := depth == 1 && p.inBatch; repeated && !isBatch {
		p.open = p.open[:start]
		return Value{kind: Repeated}, err
	}
	return Value{kind: Array, elements: p.close(start)}, err
}

func (p *parser) object(depth int) (Value, error) {
	start, repeated := len(p.open), false
	var seen map[string]bool
	for p.dec.PeekKind() != '}' {
		before := p.offset
		t, written, err := p.token()
		if err != nil {
			return Value{}, err
		}
		name := text(t, written)
		if repeats(p.open[start:], &seen, name) {
			if len(p.batch) == 0 {
				return Value{}, fmt.Errorf("%w: a member name occurs twice before byte %d", ErrMalformed, before)
			}
			repeated = true
		}
		if depth == 0 {
			p.inBatch = slices.Contains(p.batch, name)
		}
		e, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		repeated = repeated || e.kind == Repeated
		p.open = append(p.open, member{name, e})
	}
	if _, _, err := p.token(); err != nil {
		return Value{}, err
	}
	if repeated {
		p.open = p.open[:start]
		return Value{kind: Repeated}, nil
	}
	first := len(p.names)
	for _, m := range p.open[start:] {
		p.names = append(p.names, m.name)
	}
	return Value{kind: Object, names: p.names[first:len(p.names):len(p.names)], elements: p.close(start)}, nil
}

// repeats reports whether name is that of a member before. seen is for large objects.
func repeats(before []member, seen *map[string]bool, name string) bool {
	const large = 32
	if len(before) < large {
		return slices.ContainsFunc(before, func(m member) bool { return m.name == name })
	}
	if *seen == nil {
		*seen = make(map[string]bool, 2*large)
		for _, m := range before {
			(*seen)[m.name] = true
		}
	}
	repeated := (*seen)[name]
	(*seen)[name] = true
	return repeated
}

// close takes the members from start on from the open ones.
func (p *parser) close(start int) []Value {
	first := len(p.elements)
	for _, m := range p.open[start:] {
		p.elements = append(p.elements, m.value)
	}
	p.open = p.open[:start]
	return p.elements[first:len(p.elements):len(p.elements)]
}

// Kind returns the type of v.
func (v Value) Kind() Kind { return v.kind }

// Present reports whether v is there and not null.
func (v Value) Present() bool { return v.kind > Null }

// Get returns the member name of an object; Missing when v has none.
func (v Value) Get(name string) Value {
	for i, n := range v.names {
		if n == name {
			return v.elements[i]
		}
	}
	return Value{}
}

// Elements returns the elements of an array, nil for anything else.
func (v Value) Elements() []Value {
	if v.kind != Array {
		return nil
	}
	return v.elements
}

// Names returns the member names of an object in their order.
func (v Value) Names() []string { return v.names }

// Text returns the text of a string. ok is false for anything else. It is a
// copy, so that one ID in an event does not keep a whole body in memory.
func (v Value) Text() (text string, ok bool) { return strings.Clone(v.text), v.kind == String }

// Scalar returns the text of a string or the digits of a number as written,
// for members that providers send either way. ok is false for anything else.
func (v Value) Scalar() (text string, ok bool) {
	return strings.Clone(v.text), v.kind == String || v.kind == Number
}
