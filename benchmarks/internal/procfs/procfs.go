// Package procfs reads what a process has used from Linux's /proc. On other
// systems there is no such folder, and nothing is known.
package procfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the CPU times in /proc. USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Usage is what a process has used since it began.
type Usage struct {
	CPU     time.Duration // user and system, of all threads, to 10 ms
	PeakRSS int64         // bytes
}

// Of returns what the process pid has used; ok is false where that cannot be known.
func Of(pid int) (u Usage, ok bool) { return read(os.DirFS("/proc"), pid) }

func read(proc fs.FS, pid int) (u Usage, ok bool) {
	dir := strconv.Itoa(pid)
	stat, err := fs.ReadFile(proc, path.Join(dir, "stat"))
	if err != nil {
		return Usage{}, false
	}
	status, err := fs.ReadFile(proc, path.Join(dir, "status"))
	if err != nil {
		return Usage{}, false
	}
	// The second member is the program's name in brackets, which may hold anything.
	members := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(members) < 13 {
		return Usage{}, false
	}
	var ticks time.Duration
	for _, member := range members[11:13] { // utime and stime
		n, err := strconv.ParseInt(member, 10, 64)
		if err != nil {
			return Usage{}, false
		}
		ticks += time.Duration(n)
	}
	u.CPU = ticks * tick
	_, peak, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return Usage{}, false
	}
	var kibibytes int64
	if _, err := fmt.Sscan(peak, &kibibytes); err != nil {
		return Usage{}, false
	}
	u.PeakRSS = kibibytes << 10
	return u, true
}

// Machine returns the CPU time that all processes together have used since the
// machine started.
func Machine() (busy time.Duration, ok bool) { return machine(os.DirFS("/proc")) }

func machine(proc fs.FS) (busy time.Duration, ok bool) {
	stat, err := fs.ReadFile(proc, "stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	members := strings.Fields(line)
	if len(members) < 9 || members[0] != "cpu" {
		return 0, false
	}
	for i, member := range members[1:9] {
		n, err := strconv.ParseInt(member, 10, 64)
		if err != nil {
			return 0, false
		}
		if i != 3 && i != 4 { // idle, and waiting for disks
			busy += time.Duration(n) * tick
		}
	}
	return busy, true
}
