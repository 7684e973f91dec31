package filter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Parse reads filter. An empty filter gives no conditions. The grammar:
//
//	filter     = comparison { "AND" comparison }
//	comparison = field operator value
//	value      = word | "'" text "'" | '"' text '"'
//
// In quoted text a backslash stands before a quote or another backslash.
// Errors are *Error.
func (s Schema) Parse(filter string) (Conditions, error) {
	p := parser{schema: s, in: filter}
	if p.space(); p.pos == len(p.in) {
		return nil, nil
	}
	var out Conditions
	for {
		c, err := p.comparison()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		if p.space(); p.pos == len(p.in) {
			return out, nil
		}
		if err := p.and(); err != nil {
			return nil, err
		}
		p.space()
	}
}

type parser struct {
	schema Schema
	in     string
	pos    int
}

func (p *parser) comparison() (Condition, error) {
	start := p.pos
	name := p.run(isName)
	switch {
	case name == "NOT", name == "" && p.next("-"), name == "" && p.next("("):
		return Condition{}, p.errorf(start, "NOT, - and parentheses are not supported")
	case name == "":
		return Condition{}, p.errorf(start, "a field name is missing")
	}
	kind, ok := p.schema.fields[Field(name)]
	if !ok {
		return Condition{}, p.errorf(start, "unknown field %q; there are %s", name, p.schema.names())
	}
	c := Condition{Field: Field(name), Type: kind}
	p.space()
	start = p.pos
	if c.Op, ok = operator(p.run(isOperator)); !ok {
		return Condition{}, p.errorf(start, "field %q needs one of %s", name, p.schema.operatorsOf(c.Field))
	}
	if !kind.allows(c.Op) || p.schema.equal[c.Field] && c.Op != Equal {
		return Condition{}, p.errorf(start, "operator %s does not apply to field %q, which takes %s", c.Op, name, p.schema.operatorsOf(c.Field))
	}
	p.space()
	start = p.pos
	text, err := p.value()
	if err != nil {
		return Condition{}, err
	}
	if err := c.set(text); err != "" {
		return Condition{}, p.errorf(start, "field %q: %s", name, err)
	}
	return c, nil
}

// set takes the value over. It returns what is wrong with it, or "".
func (c *Condition) set(text string) string {
	switch c.Type {
	case Enum:
		n, ok := enumNumber(c.Field, text)
		if !ok {
			return fmt.Sprintf("unknown value %q; there are %s", text, enumWords(c.Field))
		}
		c.Number = n
	case Number:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Sprintf("%q is not an integer", text)
		}
		c.Number = n
	case Time:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Sprintf("%q is not a time like 2025-01-31T15:04:05Z", text)
		}
		if t.Unix() < minSeconds || t.Unix() >= maxSeconds {
			return fmt.Sprintf("%q is not between 1678 and 2261", text)
		}
		c.Number, _ = Nanos(timestamppb.New(t))
	default:
		c.Text = text
	}
	return ""
}

func (p *parser) value() (string, error) {
	start := p.pos
	if !p.next(`"`) && !p.next(`'`) {
		if w := p.run(isWord); w != "" {
			return w, nil
		}
		return "", p.errorf(start, "a value is missing")
	}
	quote := p.in[p.pos]
	var b strings.Builder
	for p.pos++; p.pos < len(p.in); p.pos++ {
		switch c := p.in[p.pos]; c {
		case quote:
			p.pos++
			if !utf8.ValidString(b.String()) {
				return "", p.errorf(start, "the text is not UTF-8")
			}
			return b.String(), nil
		case '\\':
			p.pos++
			if !p.next(`"`) && !p.next(`'`) && !p.next(`\`) {
				return "", p.errorf(p.pos-1, `a backslash may stand before ", ' and \ only`)
			}
			b.WriteByte(p.in[p.pos])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.errorf(start, "the closing quote is missing")
}

func (p *parser) and() error {
	start := p.pos
	switch word := p.run(isWord); word {
	case "AND":
		return nil
	case "OR":
		return p.errorf(start, "operator OR is not supported")
	default:
		return p.errorf(start, "AND is missing")
	}
}

func (p *parser) space() { p.run(isSpace) }

func (p *parser) next(s string) bool { return strings.HasPrefix(p.in[p.pos:], s) }

// run consumes the bytes that belong to a class.
func (p *parser) run(class func(byte) bool) string {
	start := p.pos
	for p.pos < len(p.in) && class(p.in[p.pos]) {
		p.pos++
	}
	return p.in[start:p.pos]
}

func (p *parser) errorf(position int, format string, args ...any) error {
	return &Error{Position: position, Problem: fmt.Sprintf(format, args...)}
}

func operator(s string) (Op, bool) {
	for op := Equal; op <= GreaterEqual; op++ {
		if s == op.String() {
			return op, true
		}
	}
	return 0, false
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isOperator(c byte) bool { return strings.IndexByte("=!<>:~", c) >= 0 }

func isName(c byte) bool { return c == '_' || c == '.' || isAlphanumeric(c) }

func isWord(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("_-+.:/", c) >= 0 }

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
