// Package payload reads provider JSON strictly: names are case-sensitive and
// must not repeat, text must be UTF-8, numbers keep their digits, and a missing
// member is not the same as null, zero or "".
package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"

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
func Parse(data []byte) (Value, error) {
	p := parser{dec: jsontext.NewDecoder(bytes.NewReader(data))}
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

type parser struct {
	dec    *jsontext.Decoder
	values int
}

func (p *parser) malformed(err error) error {
	if errors.Is(err, ErrMalformed) {
		return err
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("%w: a member name occurs twice before byte %d", ErrMalformed, p.dec.InputOffset())
	}
	return fmt.Errorf("%w: after byte %d", ErrMalformed, p.dec.InputOffset())
}

func (p *parser) value(depth int) (Value, error) {
	if depth > MaxDepth {
		return Value{}, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, MaxDepth)
	}
	if p.values++; p.values > MaxValues {
		return Value{}, fmt.Errorf("%w: more than %d values", ErrMalformed, MaxValues)
	}
	t, err := p.dec.ReadToken()
	if err != nil {
		return Value{}, err
	}
	switch t.Kind() {
	case 'n':
		return Value{kind: Null}, nil
	case 't', 'f':
		return Value{kind: Bool, text: t.String()}, nil
	case '0':
		return Value{kind: Number, text: t.String()}, nil
	case '"':
		return Value{kind: String, text: t.String()}, nil
	case '[':
		return p.array(depth)
	default:
		return p.object(depth)
	}
}

func (p *parser) array(depth int) (Value, error) {
	v := Value{kind: Array}
	for p.dec.PeekKind() != ']' {
		e, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.elements = append(v.elements, e)
	}
	_, err := p.dec.ReadToken()
	return v, err
}

func (p *parser) object(depth int) (Value, error) {
	v := Value{kind: Object}
	for p.dec.PeekKind() != '}' {
		name, err := p.dec.ReadToken()
		if err != nil {
			return Value{}, err
		}
		text := name.String()
		e, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.names = append(v.names, text)
		v.elements = append(v.elements, e)
	}
	_, err := p.dec.ReadToken()
	return v, err
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

// Text returns the text of a string. ok is false for anything else.
func (v Value) Text() (text string, ok bool) { return v.text, v.kind == String }

// Scalar returns the text of a string or the digits of a number as written,
// for members that providers send either way. ok is false for anything else.
func (v Value) Scalar() (text string, ok bool) {
	return v.text, v.kind == String || v.kind == Number
}
