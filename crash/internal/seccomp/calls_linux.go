//go:build amd64 || arm64

package seccomp

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// traced says where a system call has what Call tells; negative: nowhere.
type traced struct {
	number                      int
	kind                        Kind
	fd, address, length, offset int
}

// tracedCalls are all ways to change or to sync a file that a Go program has,
// but for mapped memory.
func tracedCalls() []traced {
	return []traced{
		{unix.SYS_FSYNC, Sync, 0, -1, -1, -1},
		{unix.SYS_FDATASYNC, Sync, 0, -1, -1, -1},
		{unix.SYS_WRITE, Write, 0, 1, 2, -1},
		{unix.SYS_WRITEV, Write, 0, -1, -1, -1},
		{unix.SYS_PWRITE64, Write, 0, 1, 2, 3},
		{unix.SYS_PWRITEV, Write, 0, -1, -1, 3},
		{unix.SYS_PWRITEV2, Write, 0, -1, -1, 3},
		{unix.SYS_FTRUNCATE, Resize, 0, -1, -1, 1},
		{unix.SYS_FALLOCATE, Allocate, 0, -1, 3, 2},
		{unix.SYS_COPY_FILE_RANGE, WriteSome, 2, -1, -1, -1},
		{unix.SYS_SENDFILE, WriteSome, 0, -1, -1, -1},
		{unix.SYS_SPLICE, WriteSome, 2, -1, -1, -1},
	}
}

// Descriptor returns where the file descriptor of a Call's path stands, and its
// flags.
func Descriptor(path string) (position int64, flags int, err error) {
	text, err := os.ReadFile(strings.Replace(path, "/fd/", "/fdinfo/", 1))
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscanf(string(text), "pos:\t%d\nflags:\t%o", &position, &flags)
	return position, flags, err
}
