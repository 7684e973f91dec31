package main

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/witness"
)

// Whether old data is removed.
const (
	on   = "on"
	off  = "off"
	half = "half"
)

// rotation returns the runs that make up o: one, or one without retention and one
// with it, each with half of the crashes and a folder of its own.
func rotation(o options, retention string) []options {
	without, with := o, o
	with.Retention = true
	switch retention {
	case off:
		return []options{without}
	case on:
		return []options{with}
	}
	with.Cycles = o.Cycles / 2
	without.Cycles -= with.Cycles
	without.Dir, with.Dir = filepath.Join(o.Dir, "all-kept"), filepath.Join(o.Dir, "retention")
	return []options{without, with}
}

// The bounds of retention in bytes, as configured. In fast motion they count for a
// 1024th. The ledger keeps what arrives in about a quarter of a second, so that
// something is removed all the time. The events keep more, because what a
// subscriber has not read yet is removed, too.
const (
	ledgerBound = 256 << 20
	eventsBound = 512 << 20
	fastMotion  = 1024
)

// settings returns what the configuration has besides the usual.
func (o options) settings() map[string]any {
	if !o.Retention {
		return nil
	}
	bound := func(n int64) map[string]any { return map[string]any{"max_bytes": n} }
	return map[string]any{"retention": map[string]any{"ledger": bound(ledgerBound), "events": bound(eventsBound)}}
}

// changes returns what is changed in the source before paynorm is built.
func (o options) changes() []fault.Change {
	if !o.Retention {
		return o.Fault.Changes
	}
	return slices.Concat(fault.FastMotion(), o.Fault.Changes)
}

// follow starts to read the ledger before retention removes it. Without retention
// everything can be read in the end, and nobody follows.
func (t *trial) follow(ctx context.Context) (*witness.Follower, error) {
	if !t.Retention {
		return nil, nil
	}
	ledger, events := fault.Followed(t.site.Dir)
	return witness.Follow(ctx, t.site.NATS, ledger, events)
}

// trimmed waits until retention has nothing more to do, so that nothing goes while
// the rest is read.
func (t *trial) trimmed(ctx context.Context) error {
	if !t.Retention {
		return nil
	}
	nc, js, err := witness.Connect(t.site.NATS)
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := witness.Trimmed(ctx, js, ledgerBound/fastMotion, eventsBound/fastMotion, patience); err != nil {
		return err
	}
	return t.follower.Close(ctx)
}

// bound notes what is left, and what should be.
func (t *trial) bound(h *history.History, left history.Retention) {
	if !t.Retention {
		return
	}
	left.Ledger.Bound = ledgerBound / fastMotion
	left.Events.Bound = eventsBound / fastMotion
	left.Events.Slack = left.Events.Bound / 10 // paynorm estimates their sizes by the mean
	h.Retention = &left
}
