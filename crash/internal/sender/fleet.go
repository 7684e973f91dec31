// Package sender plays providers that do not give up: they repeat a webhook
// until it is answered with 2xx, send some of them again although they were,
// and remember what was acknowledged.
package sender

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/site"
	"github.com/paynorm/paynorm/internal/simulator"
)

// Options says how much is sent, and where.
type Options struct {
	Site        *site.Site
	Targets     []string // base URLs; one that does not answer is left for the next. Default: that of Site
	Seed        uint64   // of payments, cases and pauses
	PerProvider int      // how many senders each provider has; each has one request at a time
	MaxPause    time.Duration
	Timeout     time.Duration // of a request
}

// Fleet is a number of senders.
type Fleet struct {
	senders []*sender
	stop    context.CancelFunc
	wait    sync.WaitGroup
	counts  counts
}

// counts is what the senders of a fleet have seen until now.
type counts struct{ acknowledged, broken atomic.Int64 }

// Figures count what senders were answered.
type Figures struct {
	Deliveries   int // bodies that were made
	Attempts     int // requests
	Acknowledged int // 2xx
	Refused      int // 503
	Broken       int // no answer: connection errors and time-outs
}

// Start starts senders of all providers.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	if len(o.Targets) == 0 {
		o.Targets = []string{o.Site.HTTP}
	}
	targets := make([]*url.URL, len(o.Targets))
	for i, t := range o.Targets {
		u, err := url.Parse(t)
		if err != nil {
			return nil, err
		}
		targets[i] = u
	}
	f := &Fleet{}
	for i, provider := range simulator.Providers() {
		for j := range o.PerProvider {
			var seed [32]byte
			binary.LittleEndian.PutUint64(seed[:], o.Seed)
			binary.LittleEndian.PutUint64(seed[8:], uint64(i))
			binary.LittleEndian.PutUint64(seed[16:], uint64(j))
			s, err := newSender(o, provider, targets, seed)
			if err != nil {
				return nil, err
			}
			s.counts = &f.counts
			f.senders = append(f.senders, s)
		}
	}
	ctx, f.stop = context.WithCancel(ctx)
	for _, s := range f.senders {
		f.wait.Go(func() { s.run(ctx) })
	}
	return f, nil
}

// Acknowledged returns how many requests were acknowledged until now.
func (f *Fleet) Acknowledged() int64 { return f.counts.acknowledged.Load() }

// Broken returns how many requests had no answer until now.
func (f *Fleet) Broken() int64 { return f.counts.broken.Load() }

// Stop lets requests in work finish and returns what was sent. An answer that no
// provider should get is an error.
func (f *Fleet) Stop() (map[history.Digest]*history.Sent, Figures, error) {
	f.stop()
	f.wait.Wait()
	all := map[history.Digest]*history.Sent{}
	var sum Figures
	for _, s := range f.senders {
		if s.err != nil {
			return nil, Figures{}, fmt.Errorf("%s: %w", s.provider, s.err)
		}
		for body, sent := range s.sent {
			all[body] = sent
			sum.Deliveries++
			sum.Attempts += sent.Attempts
			sum.Acknowledged += sent.Acknowledged
		}
		sum.Refused += s.refused
		sum.Broken += s.broken
	}
	return all, sum, nil
}
