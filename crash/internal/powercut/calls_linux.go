//go:build amd64 || arm64

package powercut

import "golang.org/x/sys/unix"

// call is a system call that the tracer wants to know of.
type call struct {
	number int
	kind   kind
	fd     int // which argument is the file descriptor
	offset int // which one is the offset; with kind writesAt
}

type kind int

const (
	syncs    kind = iota
	writes        // at the position of the file descriptor
	writesAt      // at an offset that is an argument
	rewrites      // somewhere: the whole file is taken as changed
)

// tracedCalls are all ways to change or to sync a file that a Go program has,
// but for mapped memory, of which nothing is ever taken as synced.
func tracedCalls() []call {
	return []call{
		{number: unix.SYS_FSYNC, kind: syncs},
		{number: unix.SYS_FDATASYNC, kind: syncs},
		{number: unix.SYS_WRITE, kind: writes},
		{number: unix.SYS_WRITEV, kind: writes},
		{number: unix.SYS_PWRITE64, kind: writesAt, offset: 3},
		{number: unix.SYS_PWRITEV, kind: writesAt, offset: 3},
		{number: unix.SYS_PWRITEV2, kind: writesAt, offset: 3},
		{number: unix.SYS_FTRUNCATE, kind: writesAt, offset: 1},
		{number: unix.SYS_FALLOCATE, kind: writesAt, offset: 2},
		{number: unix.SYS_COPY_FILE_RANGE, kind: rewrites, fd: 2},
		{number: unix.SYS_SENDFILE, kind: rewrites, fd: 0},
		{number: unix.SYS_SPLICE, kind: rewrites, fd: 2},
	}
}
