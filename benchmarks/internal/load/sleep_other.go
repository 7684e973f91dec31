//go:build !linux

package load

import "time"

// sleep may be a millisecond late, which the open loop counts as latency.
func sleep(d time.Duration) { time.Sleep(d) }
