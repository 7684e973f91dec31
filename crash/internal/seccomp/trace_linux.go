//go:build amd64 || arm64

package seccomp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
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
	value int64
	errno int32
	flags uint32
}

// Trace is a run of a program.
type Trace struct {
	Process  *site.Process
	listener int
	calls    map[int32]traced
	handler  Handler
	done     chan struct{} // closed when the program is gone; err says what went wrong
	err      error
	late     sync.WaitGroup // answers that take longer
}

// Start starts cmd's program; what it says is added to the file log. handler
// decides about its calls.
func Start(cmd *exec.Cmd, log string, handler Handler) (*Trace, error) {
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
	t := &Trace{Process: p, listener: listener, calls: map[int32]traced{}, handler: handler, done: make(chan struct{})}
	for _, c := range tracedCalls() {
		t.calls[int32(c.number)] = c
	}
	go t.run()
	return t, nil
}

// Wait returns what went wrong with the tracing, once the program is gone.
func (t *Trace) Wait() error {
	<-t.done
	t.late.Wait()
	if err := errors.Join(t.err, unix.Close(t.listener)); err != nil {
		return fmt.Errorf("trace the program: %w", err)
	}
	return nil
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

func (t *Trace) run() {
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
		t.err = t.next()
	}
}

func (t *Trace) next() error {
	var n notification
	switch err := ioctl(t.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINTR): // killed meanwhile
		return nil
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	}
	a, err := t.handler.Before(t.call(&n))
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH): // killed meanwhile
		return nil
	case err != nil:
		return err
	case a.Never:
		return nil
	}
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if a.Instead {
		r = response{id: n.id, value: a.Value, errno: -int32(a.Errno)}
	}
	if a.After <= 0 {
		return t.answer(&r)
	}
	t.late.Go(func() {
		select {
		case <-time.After(a.After):
			_ = t.answer(&r) // it fails only when the program is gone
		case <-t.done:
		}
	})
	return nil
}

func (t *Trace) call(n *notification) Call {
	c := t.calls[n.number]
	fd := int(int32(n.args[c.fd]))
	call := Call{
		Kind: c.kind, Process: t.Process.Cmd.Process.Pid, Thread: int(n.thread), FD: fd,
		Path: fmt.Sprintf("/proc/%d/fd/%d", n.thread, fd), Offset: -1,
	}
	if c.offset >= 0 {
		call.Offset = int64(n.args[c.offset])
	}
	if c.length >= 0 {
		call.Length = int64(n.args[c.length])
	}
	if c.address >= 0 {
		call.Address = n.args[c.address]
	}
	return call
}

func (t *Trace) answer(r *response) error {
	if err := ioctl(t.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(r)); err != nil && !errors.Is(err, unix.ENOENT) {
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
