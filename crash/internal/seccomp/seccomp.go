// Package seccomp runs a program and is asked by the kernel before each of its
// calls that write or sync a file (seccomp user notification). It needs no root,
// no device and no change of the program, and covers all of its libraries,
// because it sits at the system calls.
package seccomp

import (
	"syscall"
	"time"
)

// Call is what the program is about to do.
type Call struct {
	Kind    Kind
	Process int
	Thread  int
	FD      int
	// Path is the file under /proc.
	Path string
	// Offset is where it writes; negative: where the file descriptor stands.
	Offset int64
	// Length is how many bytes it writes, and Address where they are in the
	// program's memory; both 0 when the call does not say it so simply.
	Length  int64
	Address uint64
}

// Kind is a kind of call.
type Kind int

// The kinds of calls.
const (
	Sync      Kind = iota // fsync and fdatasync
	Write                 // bytes to a place
	Allocate              // blocks for a place, without bytes
	Resize                // the file ends at Offset from then on
	WriteSome             // somewhere: the whole file is taken as changed
)

// Answer says what becomes of a call. The zero value lets it happen.
type Answer struct {
	Never bool          // the program waits until it is killed
	After time.Duration // how much longer it takes
	// Instead: the call does not happen, and returns Errno or, when that is 0, Value.
	Instead bool
	Errno   syscall.Errno
	Value   int64
}

// Handler decides about calls. It is asked about one call at a time; an error
// stops the tracing, and the program hangs at its next call.
type Handler interface {
	Before(Call) (Answer, error)
}
