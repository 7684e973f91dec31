//go:build amd64 || arm64

package powercut

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/paynorm/paynorm/crash/internal/site"
)

// notification is the kernel's struct seccomp_notif.
type notification struct {
	id           uint64
	thread       uint32
	_            uint32
	number       int32
	architecture uint32
	_            uint64
	args         [6]uint64
}

// response is the kernel's struct seccomp_notif_resp.
type response struct {
	id    uint64
	_     int64
	_     int32
	flags uint32
}

// tracer answers the kernel. There is one for each run of the program.
type tracer struct {
	listener int
	calls    map[int32]call
	done     chan struct{} // closed when the program is gone; err says what went wrong
	err      error
}

// Start gives cmd's program what is on the platter and starts it; what it says
// is added to the file log.
func (d *Disk) Start(cmd *exec.Cmd, log string) (*site.Process, error) {
	if err := d.materialize(); err != nil {
		return nil, fmt.Errorf("give the program its data: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.Close() }() // it has no more to say
	child := exec.Command(self, append([]string{childArg}, cmd.Args...)...)
	child.Env, child.Dir, child.ExtraFiles = cmd.Env, cmd.Dir, []*os.File{theirs}
	p, err := site.Start(child, log)
	if err := errors.Join(err, theirs.Close()); err != nil {
		return nil, err
	}
	listener, err := receive(ours)
	if err != nil {
		p.Kill()
		return nil, fmt.Errorf("trace the program: %w (it says why in %s)", err, log)
	}
	d.tracer = &tracer{listener: listener, calls: map[int32]call{}, done: make(chan struct{})}
	for _, c := range tracedCalls() {
		d.tracer.calls[int32(c.number)] = c
	}
	go d.tracer.run(d)
	return p, nil
}

// Cut kills p as a power cut does. The next Start has what survived.
func (d *Disk) Cut(p *site.Process) (Cut, error) {
	d.mu.Lock()
	d.cut = true // who asks from now on gets no answer
	d.mu.Unlock()
	p.Kill()
	<-d.tracer.done
	if err := errors.Join(d.tracer.err, unix.Close(d.tracer.listener)); err != nil {
		return Cut{}, fmt.Errorf("trace the program: %w", err)
	}
	return d.survive()
}

func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "ours")
	defer f.Close() // FileConn has a copy
	c, err := net.FileConn(f)
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(fds[1]))
	}
	return c.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "theirs"), nil
}

// receive returns the listener that the child hands over.
func receive(c *net.UnixConn) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(site.StartWithin)); err != nil {
		return 0, err
	}
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := c.ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return 0, err
	}
	if len(messages) != 1 {
		return 0, errors.New("no listener came")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, errors.Join(err, errors.New("no listener came"))
	}
	unix.CloseOnExec(fds[0])
	return fds[0], nil
}

func (t *tracer) run(d *Disk) {
	defer close(t.done)
	for t.err == nil {
		poll := []unix.PollFd{{Fd: int32(t.listener), Events: unix.POLLIN}}
		switch _, err := unix.Poll(poll, -1); {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.err = err
			return
		}
		if poll[0].Revents&unix.POLLIN == 0 { // POLLHUP: the program is gone
			return
		}
		t.err = t.answer(d)
	}
}

func (t *tracer) answer(d *Disk) error {
	var n notification
	switch err := ioctl(t.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINTR): // killed meanwhile
		return nil
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	}
	if on, err := d.tell(int(n.thread), t.calls[n.number], n.args); err != nil || !on {
		return err
	}
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if err := ioctl(t.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func ioctl(fd int, request uintptr, p unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(p)); errno != 0 {
		return errno
	}
	return nil
}

// tell brings a call into the picture before it happens. It reports whether the
// power is on, so that it may happen.
func (d *Disk) tell(thread int, c call, args [6]uint64) (on bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return false, nil
	}
	d.through(thread)
	path := fmt.Sprintf("/proc/%d/fd/%d", thread, int32(args[c.fd]))
	switch c.kind {
	case syncs:
		err = d.sync(path)
	case writes:
		err = d.wrote(thread, path, -1)
	case writesAt:
		err = d.wrote(thread, path, int64(args[c.offset]))
	case rewrites:
		err = d.wrote(thread, path, 0)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) { // killed meanwhile
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}
