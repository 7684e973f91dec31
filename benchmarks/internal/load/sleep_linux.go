package load

import (
	"syscall"
	"time"
)

// sleep waits in the kernel. The runtime's timers may fire a millisecond late
// when the process is idle, and the open loop would count that as latency.
func sleep(d time.Duration) {
	rest := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&rest, &rest) == syscall.EINTR {
	}
}
