//go:build amd64 || arm64

package powercut

import (
	"io"
	"math"
)

// Survived returns what is on the platter, by name.
func (d *Disk) Survived() (map[string]string, error) {
	found := map[string]string{}
	for name, o := range d.names {
		text, err := io.ReadAll(io.NewSectionReader(o.content, 0, math.MaxInt64))
		if err != nil {
			return nil, err
		}
		found[name] = string(text)
	}
	return found, nil
}
