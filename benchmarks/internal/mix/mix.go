// Package mix makes deliveries of all providers, signed and encrypted as the
// providers do, with the simulator. They are made before the load, because
// signing costs more than sending.
package mix

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

// Source has a number of deliveries, the standard case of each provider in
// turn, each of a payment of its own.
type Source struct {
	requests [][]byte
	bodies   [][]byte
	sent     []string            // the provider of each
	found    map[[32]byte]uint64 // by the hash of the body
}

// New makes count deliveries for the endpoints of a configuration file that was made
// with [Endpoints].
func New(ctx context.Context, file string, count int) (*Source, error) {
	var players []*simulator.Simulator
	cfg, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(filepath.Join(filepath.Dir(file), signingKeyFile))
	if err != nil {
		return nil, err
	}
	key, err := simulator.ParseSigningKey(pem)
	if err != nil {
		return nil, err
	}
	providers := simulator.Providers()
	for _, id := range providers {
		p, err := simulator.New(simulator.Options{
			Config: cfg, Dir: filepath.Dir(file), Provider: id, Getenv: os.LookupEnv, Now: time.Now, SigningKey: key,
		})
		if err != nil {
			return nil, err
		}
		players = append(players, p)
	}
	s := &Source{
		requests: make([][]byte, count), bodies: make([][]byte, count), sent: make([]string, count), found: map[[32]byte]uint64{},
	}
	var all sync.WaitGroup
	failed := make([]error, len(players))
	for i, p := range players {
		all.Go(func() {
			for seq := i; seq < count && failed[i] == nil; seq += len(players) {
				s.sent[seq] = providers[i]
				failed[i] = s.make(ctx, p, seq)
			}
		})
	}
	all.Wait()
	for i, err := range failed {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", providers[i], err)
		}
	}
	for seq, body := range s.bodies {
		s.found[sha256.Sum256(body)] = uint64(seq)
	}
	return s, nil
}

// make makes delivery seq.
func (s *Source) make(ctx context.Context, p *simulator.Simulator, seq int) error {
	req, err := p.Request(ctx, "", simulator.IDs{})
	if err != nil {
		return err
	}
	if s.bodies[seq], err = io.ReadAll(req.Body); err != nil {
		return err
	}
	req.Body = io.NopCloser(bytes.NewReader(s.bodies[seq]))
	var raw bytes.Buffer
	err = req.Write(&raw)
	s.requests[seq] = raw.Bytes()
	return err
}

// Len returns how many deliveries there are.
func (s *Source) Len() uint64 { return uint64(len(s.requests)) }

// AppendRequest appends the complete HTTP/1.1 request of delivery seq.
func (s *Source) AppendRequest(dst []byte, seq uint64) []byte {
	return append(dst, s.requests[seq]...)
}

// AppendBody appends the body of delivery seq.
func (s *Source) AppendBody(dst []byte, seq uint64) []byte { return append(dst, s.bodies[seq]...) }

// Delivery finds a delivery by its body.
func (s *Source) Delivery(body []byte) (seq uint64, ok bool) {
	seq, ok = s.found[sha256.Sum256(body)]
	return seq, ok
}

// Facts returns how many facts a delivery tells.
func (s *Source) Facts() int { return 1 }

// Subject returns the middle of the subjects of delivery seq's events: mode, provider and merchant.
func (s *Source) Subject(seq uint64) string { return "live." + s.sent[seq] + "." + merchant }

// Says reports whether e is of the provider of delivery seq. What it says of
// the payment is for the adapters' own tests.
func (s *Source) Says(seq uint64, e *eventv1.PaymentStatusChanged) bool {
	return e.GetProvider() == s.sent[seq]
}
