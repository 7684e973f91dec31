// Package schema compares what a provider sends with what it documents: which
// members there are, of what type, and which words they hold. A difference is
// schema drift: people look at it, and nothing is decided by it.
package schema

import (
	"slices"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/payload"
)

// MaxDrift is how many differences of one delivery are reported at most.
const MaxDrift = 16

// Kinds is a set of JSON types.
type Kinds uint8

// The JSON types. null is no type: it stands for a member that is not there.
const (
	Bool   Kinds = 1 << payload.Bool
	Number Kinds = 1 << payload.Number
	Text   Kinds = 1 << payload.String
	List   Kinds = 1 << payload.Array
	Object Kinds = 1 << payload.Object
)

// Member is a documented member of an object.
type Member struct {
	Name string
	// Kinds are the types that are documented.
	Kinds Kinds
	// Known reports whether a text, or a number as written, is documented. It is
	// not asked about "". Nil: the documentation lists no words.
	Known func(word string) bool
	// Inner are the members of the object, or of the objects in the list. None:
	// they are not documented, or nothing depends on them.
	Inner []Member
	// Prefix says that Name is how the names of a family of members begin.
	Prefix bool
}

// OneOf is a [Member.Known] for a list of words, compared exactly.
func OneOf(words ...string) func(string) bool {
	return func(word string) bool { return slices.Contains(words, word) }
}

// Schema is a documented object. It is not changed once it is made.
type Schema struct {
	prefix  string // of the paths of its members, for example "payload.result."
	members []member
}

type member struct {
	Member
	path  string // from the root, for example "payload.result.code"
	inner Schema
}

// New returns the schema of an object with these members.
func New(members ...Member) Schema { return compile("", members) }

func compile(prefix string, members []Member) Schema {
	s := Schema{prefix: prefix}
	for _, m := range members {
		path := prefix + m.Name
		inside := path + "."
		if m.Kinds&List != 0 {
			inside = path + "[]."
		}
		s.members = append(s.members, member{Member: m, path: path, inner: compile(inside, m.Inner)})
	}
	return s
}

// Drift lists the members of v that are not documented, or whose type or word
// is not: each once, by its path, at most [MaxDrift] of them. Names
// that are not documented are cut after 64 bytes. There is never a value in it.
func (s Schema) Drift(v payload.Value) []string {
	var f finder
	f.object(v, s)
	return f.paths
}

// finder gathers paths.
type finder struct{ paths []string }

func (f *finder) add(path string) {
	if len(f.paths) < MaxDrift && !slices.Contains(f.paths, path) {
		f.paths = append(f.paths, path)
	}
}

func (f *finder) object(v payload.Value, s Schema) {
	place := 0
	for name, value := range v.Members() {
		if m, ok := s.find(name, place); ok {
			f.member(value, m)
		} else {
			f.add(s.prefix + cut(name))
		}
		place++
	}
}

func (f *finder) member(v payload.Value, m *member) {
	if !v.Present() {
		return
	}
	if m.Kinds&(1<<v.Kind()) == 0 {
		f.add(m.path)
		return
	}
	if m.Known != nil {
		if word, _ := v.Scalar(); word != "" && !m.Known(word) {
			f.add(m.path)
		}
	}
	if len(m.Inner) == 0 {
		return
	}
	if v.Kind() == payload.Object {
		f.object(v, m.inner)
	}
	for _, e := range v.Elements() {
		if e.Kind() != payload.Object {
			f.add(m.path + "[]")
			continue
		}
		f.object(e, m.inner)
	}
}

// find returns the member of that name. Providers write the members in about
// the order in which they document them, so the search begins at place.
func (s Schema) find(name string, place int) (*member, bool) {
	n := len(s.members)
	for i := range n {
		m := &s.members[(place+i)%n]
		if m.Name == name || m.Prefix && strings.HasPrefix(name, m.Name) {
			return m, true
		}
	}
	return nil, false
}

// cut bounds a name that somebody else chose. It is a copy: drift is remembered
// for long, and must not keep a body in memory.
func cut(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	return strings.Clone(name)
}
