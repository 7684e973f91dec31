package serve

import "runtime"

const (
	// fewProcessors is up to how many processors the Go runtime gets more than there are.
	fewProcessors = 4
	// lent is how many more: ledger and events can wait for the disk at once.
	lent = 2
)

// lendProcessors makes up for the threads that wait for the disk: while NATS syncs, the
// runtime takes its processor for busy, some tens of microseconds each time and up to a
// thousand times a second. Where there are few, that shows. Whoever sets GOMAXPROCS knows better.
func (p *process) lendProcessors() {
	if _, set := p.Getenv("GOMAXPROCS"); set {
		return
	}
	runtime.SetDefaultGOMAXPROCS()
	if n := runtime.GOMAXPROCS(0); n <= fewProcessors {
		runtime.GOMAXPROCS(n + lent)
	}
}
