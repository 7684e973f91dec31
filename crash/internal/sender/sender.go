package sender

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/site"
	"github.com/paynorm/paynorm/internal/simulator"
)

const (
	// sameBytesFor is how long a request may be sent again as it was: tokens are good
	// for five minutes, and one may be four minutes old when it is used first.
	sameBytesFor = 30 * time.Second
	// remembered is how many requests a sender can send again.
	remembered = 500
)

// sender is one connection of a provider. It belongs to one goroutine.
type sender struct {
	provider string
	open     opener
	sim      *simulator.Simulator
	client   *http.Client
	route    *route
	rand     *rand.Rand
	maxPause time.Duration
	cases    []simulator.Case
	frozen   time.Time // the provider's clock when it is not now

	payments []simulator.IDs // whose life goes on
	past     []*delivery     // what may be sent again
	sent     map[history.Digest]*history.Sent
	refused  int
	broken   int
	counts   *counts
	err      error // an answer that should not be
}

// delivery is a request, to be sent as often as it takes.
type delivery struct {
	request *http.Request // without its body
	body    []byte
	made    time.Time
	name    string // of the case
	ids     simulator.IDs
}

func newSender(o Options, provider string, targets []*url.URL, seed [32]byte) (*sender, error) {
	s := &sender{
		provider: provider, maxPause: o.MaxPause, cases: simulator.Cases(provider),
		rand: rand.New(rand.NewChaCha8(seed)), sent: map[history.Digest]*history.Sent{},
		route: &route{targets: targets, to: &http.Transport{MaxIdleConnsPerHost: 1}},
	}
	s.client = &http.Client{Transport: s.route, Timeout: o.Timeout}
	seed[31] = 1 // the IDs have a source of their own
	var err error
	if s.open, err = newOpener(o.Site.Keys.ACI); err != nil {
		return nil, err
	}
	s.sim, err = simulator.New(simulator.Options{
		Config: o.Site.Config, Dir: o.Site.Dir, Provider: provider, Merchant: site.Merchant, BaseURL: o.Site.HTTP,
		Now: s.now, Rand: rand.NewChaCha8(seed), Client: s.client, SigningKey: o.Site.Keys.QITech,
	})
	return s, err
}

func (s *sender) now() time.Time {
	if !s.frozen.IsZero() {
		return s.frozen
	}
	return time.Now()
}

func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil && s.err == nil {
		d, err := s.next(ctx)
		if err != nil { // no token to be had from a paynorm that is not there
			s.unanswered()
			s.route.other()
			s.pause(ctx, s.maxPause)
			continue
		}
		s.deliver(ctx, d)
		s.pause(ctx, s.maxPause)
	}
}

func (s *sender) pause(ctx context.Context, most time.Duration) {
	if most <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(s.rand.Int64N(int64(most)))):
	}
}

// deliver sends d until it is acknowledged, or ctx ends.
func (s *sender) deliver(ctx context.Context, d *delivery) {
	sent := s.sent[sha256.Sum256(d.body)]
	for ctx.Err() == nil {
		sent.Attempts++
		switch status, err := s.post(d); {
		case err != nil:
			s.unanswered()
			s.route.other()
		case status == http.StatusServiceUnavailable:
			s.refused++
			s.route.other()
		case status < http.StatusMultipleChoices:
			sent.Acknowledged++
			s.counts.acknowledged.Add(1)
			return
		default:
			s.err = fmt.Errorf("%s is answered %d", d.name, status)
			return
		}
		s.pause(ctx, 50*time.Millisecond)
	}
}

func (s *sender) unanswered() {
	s.broken++
	s.counts.broken.Add(1)
}

// post is not bound to a context: a request on its way is waited for, so that
// its acknowledgement counts.
func (s *sender) post(d *delivery) (int, error) {
	req := d.request.Clone(context.Background())
	req.Body = io.NopCloser(bytes.NewReader(d.body))
	req.ContentLength, req.GetBody = int64(len(d.body)), nil
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() // read to its end, or given up
	// The first byte of the answer is the promise; a crash may cut off the rest.
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		s.err = errors.New("503 does not say when to try again")
	}
	return resp.StatusCode, nil
}

// route sends requests to one of several targets.
type route struct {
	targets []*url.URL
	current atomic.Int64
	to      http.RoundTripper
}

func (r *route) other() { r.current.Store((r.current.Load() + 1) % int64(len(r.targets))) }

// RoundTrip implements http.RoundTripper.
func (r *route) RoundTrip(req *http.Request) (*http.Response, error) {
	target := r.targets[r.current.Load()]
	req = req.Clone(req.Context())
	req.URL.Host, req.Host = target.Host, target.Host
	return r.to.RoundTrip(req)
}
