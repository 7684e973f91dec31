package serve

import "runtime/debug"

const (
	// baseMemory is what paynorm needs besides the bodies of webhooks in work, in
	// bytes: parts of the binary and SQLite come on top of it.
	baseMemory = 112 << 20
	// garbage is how much garbage there may be beside what is in use, in percent.
	// Most of what is in use is NATS's buffers, which cost the collector nothing.
	garbage = 110
	// startingGarbage is that while the process starts: no webhook needs memory yet,
	// and a view that is made anew makes much of it.
	startingGarbage = 150
)

// limitMemory makes the garbage collector work harder before the process gets
// larger than it must be. Whoever sets GOMEMLIMIT or GOGC knows better.
func (p *process) limitMemory() {
	if _, set := p.Getenv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(baseMemory + p.Config.GetHttp().GetMaxBytesInFlight())
	}
	p.limitGarbage(startingGarbage)
}

func (p *process) limitGarbage(percent int) {
	if _, set := p.Getenv("GOGC"); !set {
		debug.SetGCPercent(percent)
	}
}
