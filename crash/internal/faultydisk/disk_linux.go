//go:build amd64 || arm64

package faultydisk

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/paynorm/paynorm/crash/internal/seccomp"
	"github.com/paynorm/paynorm/crash/internal/site"
)

// plenty is the room of a disk that is not full.
const plenty = math.MaxInt64

// Disk has the files below a folder. It has room and is fast until told otherwise.
type Disk struct {
	folder string

	mu      sync.Mutex
	room    int64 // bytes
	delay   time.Duration
	refused int
}

// New returns a disk for the folder, which is an absolute path without links.
func New(folder string) *Disk { return &Disk{folder: folder, room: plenty} }

// Start starts cmd's program on d; what it says is added to the file log.
func (d *Disk) Start(cmd *exec.Cmd, log string) (*site.Process, error) {
	trace, err := seccomp.Start(cmd, log, d)
	if err != nil {
		return nil, err
	}
	go func() { _ = trace.Wait() }() // without the tracer, the program hangs, which shows
	return trace.Process, nil
}

// Fill leaves room for so many bytes more.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = room
}

// Free makes room again.
func (d *Disk) Free() { d.Fill(plenty) }

// Slow makes each sync take so much longer.
func (d *Disk) Slow(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
}

// Refused counts the writes that failed because the disk was full.
func (d *Disk) Refused() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// Before implements seccomp.Handler.
func (d *Disk) Before(c seccomp.Call) (seccomp.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.Kind == seccomp.Resize || d.room == plenty && d.delay == 0 {
		return seccomp.Answer{}, nil
	}
	f, err := look(c.Path)
	if err != nil || !strings.HasPrefix(f.name, d.folder+"/") {
		return seccomp.Answer{}, err
	}
	synced := f.flags&(unix.O_SYNC|unix.O_DSYNC) != 0
	if c.Kind == seccomp.Sync {
		return seccomp.Answer{After: d.delay}, nil
	}
	if !f.regular {
		return seccomp.Answer{}, nil
	}
	a, err := d.write(c, f)
	if synced {
		a.After = d.delay
	}
	return a, err
}

// write takes room for what makes f longer.
func (d *Disk) write(c seccomp.Call, f file) (seccomp.Answer, error) {
	if d.room == plenty {
		return seccomp.Answer{}, nil
	}
	length := c.Length
	from := f.position
	switch {
	case c.Offset >= 0:
		from = c.Offset
	case f.flags&unix.O_APPEND != 0:
		from = f.size
	}
	grows := from + length - f.size
	if length == 0 { // it does not say: as if it needs more than there is
		grows = d.room + 1
	}
	if grows <= d.room {
		d.room -= max(0, grows)
		return seccomp.Answer{}, nil
	}
	fits := length - (grows - d.room)
	d.room = 0
	if c.Address == 0 || fits <= 0 {
		d.refused++
		return seccomp.Answer{Instead: true, Errno: unix.ENOSPC}, nil
	}
	if err := writePart(c, fits); err != nil {
		return seccomp.Answer{}, err
	}
	return seccomp.Answer{Instead: true, Value: fits}, nil
}

// file is what a file descriptor of the program leads to.
type file struct {
	name           string
	regular        bool
	size, position int64
	flags          int
}

func look(path string) (f file, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return f, err
	}
	f.regular, f.size = st.Mode&unix.S_IFMT == unix.S_IFREG, st.Size
	if f.name, err = os.Readlink(path); err != nil {
		return f, err
	}
	f.position, f.flags, err = seccomp.Descriptor(path)
	return f, err
}

// writePart does for the program what a full disk does: it writes the first
// bytes of what the program wants to.
func writePart(c seccomp.Call, length int64) error {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", c.Process))
	if err != nil {
		return err
	}
	defer memory.Close() // only read
	part := make([]byte, length)
	if _, err := memory.ReadAt(part, int64(c.Address)); err != nil {
		return err
	}
	pid, err := unix.PidfdOpen(c.Process, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(pid) }() // only looked through
	// The program's own file descriptor, so that its position moves.
	fd, err := unix.PidfdGetfd(pid, c.FD, 0)
	if err != nil {
		return fmt.Errorf("take the program's file: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // the program has its own
	if c.Offset >= 0 {
		_, err = unix.Pwrite(fd, part, c.Offset)
	} else {
		_, err = unix.Write(fd, part)
	}
	return err
}
