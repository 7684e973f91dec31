//go:build amd64 || arm64

package powercut

import (
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

// survive decides what is on the platter after a cut that nobody synced, and
// counts it.
func (d *Disk) survive() (Cut, error) {
	var c Cut
	for _, f := range d.files {
		if f.synced {
			if err := d.copyIn(f, 0); err != nil {
				return c, err
			}
			f.low = clean
		}
	}
	var live []string
	err := filepath.WalkDir(d.live, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := d.inside(path)
		live = append(live, name)
		return nil
	})
	if err != nil {
		return c, err
	}
	slices.Sort(live)
	here := map[*object]bool{}
	for _, name := range live {
		f, err := d.find(name)
		if err != nil {
			return c, err
		}
		if f == nil {
			continue
		}
		c.Files++
		here[f.object] = true
		if err := d.surviveFile(f, name, &c); err != nil {
			return c, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		_, replaced := slices.BinarySearch(live, name)
		if replaced || here[d.names[name]] { // not deleted but renamed, which is decided above
			continue
		}
		if d.lucky() { // a deletion that was not synced
			d.unbind(name)
			c.LuckNames++
			continue
		}
		c.LostNames++
	}
	return c, nil
}

func (d *Disk) lucky() bool { return d.rand.IntN(2) == 0 }

func (d *Disk) surviveFile(f *file, name string, c *Cut) error {
	if f.object.name != name {
		if d.lucky() {
			d.bind(f.object, name)
			c.LuckNames++
		} else {
			c.LostNames++
		}
	}
	size, err := f.fd.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	from := d.dirtyFrom(f)
	if from >= size {
		return nil
	}
	kept := int64(0)
	if d.lucky() {
		kept = d.rand.Int64N(size - from + 1)
		if err := copyRange(f.object.content, f.fd, from, from+kept); err != nil {
			return err
		}
	}
	c.LuckBytes += kept
	c.LostBytes += size - from - kept
	return nil
}
