package serve

import "runtime/debug"

// baseMemory is what paynorm needs besides the bodies of webhooks in work, in
// bytes: parts of the binary and SQLite come on top of it.
const baseMemory = 136 << 20

// limitMemory makes the garbage collector work harder before the process gets
// larger than it must be. Whoever sets GOMEMLIMIT knows better.
func (p *process) limitMemory() {
	if _, set := p.Getenv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(baseMemory + p.Config.GetHttp().GetMaxBytesInFlight())
	}
}
