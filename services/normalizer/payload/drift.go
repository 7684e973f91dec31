package payload

import (
	"slices"
	"strings"
)

// MaxDrift is how many names Unknown returns at most for one object.
const MaxDrift = 16

// Unknown lists the members of v that known does not name, each with prefix
// before it. Names longer than 64 bytes are cut. At most MaxDrift are returned.
func (v Value) Unknown(prefix string, known ...string) []string {
	var names []string
	for _, n := range v.names {
		if slices.Contains(known, n) {
			continue
		}
		if len(n) > 64 {
			n = strings.ToValidUTF8(n[:64], "")
		}
		if names = append(names, prefix+n); len(names) == MaxDrift {
			break
		}
	}
	return names
}
