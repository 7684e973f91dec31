//go:build amd64 || arm64

package powercut

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

// clean is the low mark of a file that has nothing to sync.
const clean = math.MaxInt64

// Disk is the data of a program, as it sees them and as they are on the platter.
type Disk struct {
	live  string // the folder that the program works on; absolute, without links
	store string // the folder of the objects
	rand  *rand.Rand

	mu      sync.Mutex
	cut     bool               // the power is off: nothing happens any more
	names   map[string]*object // on the platter, relative to live
	dirs    map[string]bool    // on the platter
	files   map[inode]*file    // that the program has
	pending map[int]write      // by thread
	objects int
	trace   *seccomp.Trace
}

// object is a file on the platter.
type object struct {
	content *os.File
	name    string // "" when it has none that survives
}

// file is a file that the program sees.
type file struct {
	object *object
	fd     *os.File // holds the inode, so that its number is not used again
	low    int64    // the lowest offset that was written since the last sync
	synced bool     // it was opened with O_SYNC: what is in it is on the platter
}

// write is a write that may not have happened yet: the kernel tells before it,
// and that it is through shows only with the next call of the same thread.
type write struct {
	file *file
	low  int64
}

type inode struct {
	device, number uint64
}

// NewDisk returns an empty disk. live is the folder that the program will work
// on; it is removed and made anew with each start. store is a folder for the
// copy. seed decides what survives by luck.
func NewDisk(live, store string, seed uint64) (*Disk, error) {
	if err := os.MkdirAll(store, 0o700); err != nil {
		return nil, err
	}
	return &Disk{
		live: live, store: store, rand: rand.New(rand.NewPCG(seed, 0)),
		names: map[string]*object{}, dirs: map[string]bool{".": true},
	}, nil
}

// materialize gives the program what is on the platter.
func (d *Disk) materialize() error {
	if err := os.RemoveAll(d.live); err != nil {
		return err
	}
	for _, f := range d.files {
		if err := f.forget(); err != nil {
			return err
		}
	}
	d.files, d.pending, d.cut = map[inode]*file{}, map[int]write{}, false
	for dir := range d.dirs {
		if err := os.MkdirAll(filepath.Join(d.live, dir), 0o700); err != nil {
			return err
		}
	}
	for name, o := range d.names {
		if err := d.copyOut(name, o); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// forget closes f after a cut, and removes what has not survived.
func (f *file) forget() error {
	_ = f.fd.Close() // only read
	if f.object.name != "" {
		return nil
	}
	return errors.Join(f.object.content.Close(), os.Remove(f.object.content.Name()))
}

func (d *Disk) copyOut(name string, o *object) error {
	f, err := os.OpenFile(filepath.Join(d.live, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if _, err := o.content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(f, o.content); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	d.files[key(&st)] = &file{object: o, fd: f, low: clean}
	return nil
}

func key(st *unix.Stat_t) inode { return inode{st.Dev, st.Ino} }

func (d *Disk) newObject() (*object, error) {
	d.objects++
	f, err := os.OpenFile(filepath.Join(d.store, fmt.Sprint(d.objects)), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	return &object{content: f}, err
}

// inside returns path relative to live, and whether it is in there.
func (d *Disk) inside(path string) (string, bool) {
	if path == d.live {
		return ".", true
	}
	return strings.CutPrefix(path, d.live+"/")
}

// file returns the file behind path, nil when it is none of the program's data.
func (d *Disk) file(path string, st *unix.Stat_t) (*file, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, nil
	}
	if f := d.files[key(st)]; f != nil {
		return f, nil
	}
	name := path
	if strings.HasPrefix(path, "/proc/") {
		var err error
		if name, err = os.Readlink(path); err != nil {
			return nil, err
		}
	}
	if _, ok := d.inside(name); !ok {
		return nil, nil
	}
	fd, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	o, err := d.newObject()
	if err != nil {
		return nil, err
	}
	f := &file{object: o, fd: fd, low: 0}
	d.files[key(st)] = f
	return f, nil
}
