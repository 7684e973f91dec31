//go:build amd64 || arm64

package powercut

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

// wrote takes note that a thread is about to write to path from offset on; a
// negative offset is wherever its file descriptor stands.
func (d *Disk) wrote(thread int, path string, offset int64) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	f, err := d.file(path, &st)
	if f == nil || err != nil {
		return err
	}
	at, flags, err := seccomp.Descriptor(path)
	if err != nil {
		return err
	}
	switch {
	case offset >= 0:
	case flags&unix.O_APPEND != 0:
		offset = st.Size
	default:
		offset = at
	}
	if flags&(unix.O_SYNC|unix.O_DSYNC) != 0 {
		// When the write returns, it is on the platter. Its bytes are taken at the cut.
		f.synced = true
		return d.bindTo(f, path)
	}
	if f.synced { // what was written by O_SYNC before is through
		f.synced = false
		if err := d.copyIn(f, 0); err != nil {
			return err
		}
	}
	d.pending[thread] = write{f, offset}
	return nil
}

// through takes note that the last write of a thread has happened.
func (d *Disk) through(thread int) {
	if w, ok := d.pending[thread]; ok {
		w.file.low = min(w.file.low, w.low)
		delete(d.pending, thread)
	}
}

// sync brings the file or folder behind path to the platter. Bytes of writes
// that run at the same time may be among them, as with a real fsync.
func (d *Disk) sync(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return d.syncDir(path)
	}
	f, err := d.file(path, &st)
	if f == nil || err != nil {
		return err
	}
	if err := d.copyIn(f, d.dirtyFrom(f)); err != nil {
		return err
	}
	f.low = clean
	return d.bindTo(f, path)
}

// dirtyFrom is the lowest offset that may not be on the platter.
func (d *Disk) dirtyFrom(f *file) int64 {
	low := f.low
	for _, w := range d.pending {
		if w.file == f {
			low = min(low, w.low)
		}
	}
	return low
}

// copyIn brings the bytes of f from an offset on to the platter, and its length.
func (d *Disk) copyIn(f *file, from int64) error {
	size, err := f.fd.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if err := f.object.content.Truncate(size); err != nil || from >= size {
		return err
	}
	return copyRange(f.object.content, f.fd, from, size)
}

func copyRange(to, from *os.File, begin, end int64) error {
	_, err := io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(from, begin, end-begin))
	return err
}

// bindTo gives f's object the name that the file has now.
func (d *Disk) bindTo(f *file, fd string) error {
	path, err := os.Readlink(fd)
	if err != nil {
		return err
	}
	if name, ok := d.inside(path); ok && !strings.HasSuffix(path, " (deleted)") {
		d.bind(f.object, name)
	}
	return nil
}

func (d *Disk) bind(o *object, name string) {
	if o.name == name {
		return
	}
	d.unbind(o.name)
	d.unbind(name)
	o.name = name
	d.names[name] = o
	d.keepDir(filepath.Dir(name))
}

func (d *Disk) unbind(name string) {
	if o := d.names[name]; o != nil {
		o.name = ""
		delete(d.names, name)
	}
}

func (d *Disk) keepDir(dir string) {
	for ; !d.dirs[dir]; dir = filepath.Dir(dir) {
		d.dirs[dir] = true
	}
}

// dropDir takes a folder and all in it off the platter.
func (d *Disk) dropDir(dir string) {
	below := func(name string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }
	maps.DeleteFunc(d.dirs, func(name string, _ bool) bool { return below(name) })
	for name := range d.names {
		if below(name) {
			d.unbind(name)
		}
	}
}

// syncDir makes the names in the folder behind path those on the platter.
func (d *Disk) syncDir(path string) error {
	if strings.HasPrefix(path, "/proc/") {
		var err error
		if path, err = os.Readlink(path); err != nil {
			return err
		}
	}
	dir, ok := d.inside(path)
	if !ok {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	d.keepDir(dir)
	here := map[string]bool{}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		here[name] = true
		if err := d.keepEntry(name, e); err != nil {
			return err
		}
	}
	for name := range d.names {
		if filepath.Dir(name) == dir && !here[name] {
			d.unbind(name)
		}
	}
	for name := range d.dirs {
		if name != "." && filepath.Dir(name) == dir && !here[name] {
			d.dropDir(name)
		}
	}
	return nil
}

func (d *Disk) keepEntry(name string, e fs.DirEntry) error {
	if e.IsDir() {
		d.keepDir(name)
		return nil
	}
	f, err := d.find(name)
	if f != nil && err == nil {
		d.bind(f.object, name)
	}
	return err
}

// find returns the file with a name that the program has given, nil when it is
// gone meanwhile or no regular file.
func (d *Disk) find(name string) (*file, error) {
	path := filepath.Join(d.live, name)
	var st unix.Stat_t
	switch err := unix.Lstat(path, &st); {
	case err == unix.ENOENT:
		return nil, nil
	case err != nil:
		return nil, err
	}
	f, err := d.file(path, &st)
	if os.IsNotExist(err) {
		return nil, nil
	}
	return f, err
}
