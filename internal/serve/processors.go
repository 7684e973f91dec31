package serve

import "runtime"

// fewProcessors is up to how many processors the Go runtime gets one more than there are.
const fewProcessors = 4

// lendProcessor makes up for the thread that waits for the disk: while NATS syncs, the
// runtime takes its processor for busy, some tens of microseconds each time and up to a
// thousand times a second. Where there are few, that shows. Whoever sets GOMAXPROCS knows better.
func (p *process) lendProcessor() {
	if _, set := p.Getenv("GOMAXPROCS"); set {
		return
	}
	runtime.SetDefaultGOMAXPROCS()
	if n := runtime.GOMAXPROCS(0); n <= fewProcessors {
		runtime.GOMAXPROCS(n + 1)
	}
}
