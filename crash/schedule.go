package main

import (
	"math/rand/v2"
	"time"
)

// The ways to crash.
const (
	kill  = "kill"
	power = "power"
)

// phase is what a process is doing when it crashes.
type phase string

const (
	starting    phase = "starting"     // it has just been started
	catchingUp  phase = "catching up"  // it has just become ready
	underLoad   phase = "under load"   // it takes and projects deliveries
	reloading   phase = "reloading"    // it reads its configuration anew
	shuttingOff phase = "shutting off" // it was asked to stop
)

// moment is when a crash comes.
type moment struct {
	phase phase
	after time.Duration // since the phase began
}

// schedule returns the moments of a seed.
func schedule(seed uint64, cycles int) []moment {
	r := rand.New(rand.NewPCG(seed, 1))
	upTo := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
	all := make([]moment, cycles)
	for i := range all {
		switch r.IntN(10) {
		case 0, 1:
			all[i] = moment{starting, upTo(300 * time.Millisecond)}
		case 2, 3:
			all[i] = moment{catchingUp, upTo(50 * time.Millisecond)}
		case 4:
			all[i] = moment{reloading, upTo(20 * time.Millisecond)}
		case 5:
			all[i] = moment{shuttingOff, upTo(50 * time.Millisecond)}
		default:
			all[i] = moment{underLoad, upTo(2 * time.Second)}
		}
	}
	return all
}
