package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong in a configuration file.
type Problem struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1
	Field   string // for example "endpoints[1].auth[0].url_token"; empty when it is the whole file
	Message string
}

// Error is the problem as "file:line:column: field: message".
func (p Problem) Error() string {
	where := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Field != "" {
		where += p.Field + ": "
	}
	return where + p.Message
}

// Error holds all that is wrong in a configuration file, by line and column.
type Error struct {
	Problems []Problem // at least one
}

// Error lists the problems, one a line.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

func newError(path string, problems []Problem) *Error {
	for i := range problems {
		problems[i].File = path
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Field, b.Field))
	})
	return &Error{Problems: slices.Compact(problems)}
}

// withFollowing adds to the problems of decoding those of later checks that do
// not merely follow from them: a field that could not be read is not also missing.
func withFollowing(decoding, later []Problem) []Problem {
	unread := map[string]bool{}
	for _, p := range decoding {
		unread[p.Field] = true
	}
	all := decoding
	for _, p := range later {
		if !within(p.Field, unread) {
			all = append(all, p)
		}
	}
	return all
}

// within says whether field or a field that holds it is in set.
func within(field string, set map[string]bool) bool {
	for field != "" {
		if set[field] {
			return true
		}
		field = parent(field)
	}
	return false
}

// parent is the field that holds field: "a[1].b" is in "a[1]", which is in "a".
func parent(field string) string {
	return field[:max(strings.LastIndexAny(field, ".["), 0)]
}
