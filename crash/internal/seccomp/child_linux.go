//go:build amd64 || arm64

package seccomp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childArg is the first argument of the process that becomes the traced program.
const childArg = "seccomp-child"

// socketFD is where that process finds the socket to its parent.
const socketFD = 3

// Child must be the first call of main, or of TestMain. In a process that was
// started by Start it becomes the traced program and does not return; else it
// does nothing.
func Child() {
	if len(os.Args) < 3 || os.Args[1] != childArg {
		return
	}
	fmt.Fprintln(os.Stderr, "seccomp:", becomeTraced(os.Args[2:]))
	os.Exit(1)
}

func becomeTraced(args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	unix.CloseOnExec(socketFD)
	runtime.LockOSThread() // the filter is of this thread, and exec keeps it
	listener, err := install()
	if err != nil {
		return fmt.Errorf("seccomp: %w (Linux 5.9 or later is needed, and a container must allow seccomp)", err)
	}
	if err := unix.Sendmsg(socketFD, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("hand over the listener: %w", err)
	}
	return syscall.Exec(path, args, os.Environ())
}

// install makes the kernel ask before each of the calls, and returns where it asks.
func install() (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	program := filter()
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// The runtime's signals must not interrupt a call that was told of already.
	flags := uintptr(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	for {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
		switch {
		case errno == 0:
			return int(fd), nil
		case errors.Is(errno, unix.EINVAL) && flags&unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV != 0:
			flags &^= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // before Linux 5.19; the kernel then asks again
		default:
			return 0, errno
		}
	}
}

// Offsets in the kernel's struct seccomp_data.
const (
	offsetNumber       = 0
	offsetArchitecture = 4
)

// filter is the program that the kernel runs for each system call.
func filter() []unix.SockFilter {
	calls := tracedCalls()
	n := uint8(len(calls))
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offsetArchitecture},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: architecture, Jf: n + 1},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offsetNumber},
	}
	for i, c := range calls {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(c.number), Jt: n - uint8(i)})
	}
	return append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
	)
}
