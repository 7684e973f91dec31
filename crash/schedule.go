package main

import (
	"math/rand/v2"
	"time"
)

// The ways to crash.
const (
	kill  = "kill"
	power = "power"
	full  = "full" // the disk is full for a while
	slow  = "slow" // the disk is slow for a while, or stands still
)

// phase is what a process is doing when it crashes.
type phase string

const (
	starting    phase = "starting"     // it has just been started
	catchingUp  phase = "catching up"  // it has just become ready
	underLoad   phase = "under load"   // it takes and projects deliveries
	reloading   phase = "reloading"    // it reads its configuration anew
	shuttingOff phase = "shutting off" // it was asked to stop
	onFullDisk  phase = "on a full disk"
	onSlowDisk  phase = "on a slow disk"
)

// phases are all of them, in the order in which they are reported.
func phases() []phase {
	return []phase{starting, catchingUp, underLoad, reloading, shuttingOff, onFullDisk, onSlowDisk}
}

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

// spell is a time in which the disk is not well.
type spell struct {
	after time.Duration // of work, before it begins
	room  int64         // bytes that a full disk has left
	delay time.Duration // of each sync, on a slow disk
	lasts time.Duration
	crash bool // in the middle of it
}

// stall is a sync that takes longer than paynorm waits for it.
const stall = 6 * time.Second

// spells returns the spells of a seed.
func spells(seed uint64, cycles int, how string) []spell {
	r := rand.New(rand.NewPCG(seed, 2))
	upTo := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
	all := make([]spell, cycles)
	for i := range all {
		s := spell{after: upTo(time.Second), lasts: time.Second + upTo(3*time.Second), crash: i%4 == 3}
		switch {
		case how == full:
			s.room = r.Int64N(256 << 10)
		case i%4 == 1:
			s.delay, s.lasts = stall, stall+time.Second
		default:
			s.delay = 200 * time.Millisecond
		}
		all[i] = s
	}
	return all
}
