package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/seal"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

// stores is everything that is kept, opened, and what works on it. The
// projector is not running yet.
type stores struct {
	conn      *nats.Conn // for the ledger, and all but events
	ring      *seal.Ring // nil: deliveries are stored in the clear
	ledger    *ledger.Ledger
	events    *eventstream.Stream
	view      *view.View
	normalize *normalize.Normalizer
	hub       *watch.Hub
	projector *projector.Projector
}

// The names of files below data_dir, and what the names of folders for a while begin with.
const (
	natsFolder     = "nats"
	viewFile       = "view.db"
	checkpointFile = "checkpoint.json"
	verifyPrefix   = "verify-"
)

func (p *process) file(name string) string { return filepath.Join(p.Config.GetDataDir(), name) }

// openStores locks data_dir, reaches NATS and opens what is kept there. health
// is told why the ledger refuses deliveries.
func (p *process) openStores(ctx context.Context, health func(error)) (*stores, error) {
	s, err := p.openLedger(ctx, health)
	if err != nil {
		return nil, err
	}
	if err := p.openProjection(ctx, s); err != nil {
		s.ledger.Close()
		return nil, err
	}
	return s, nil
}

// openProjection opens events and view beside the ledger.
func (p *process) openProjection(ctx context.Context, s *stores) (err error) {
	if s.events, err = p.openEvents(ctx); err != nil {
		return err
	}
	if s.view, err = view.Open(ctx, p.file(viewFile)); err != nil {
		return err
	}
	p.closers.push(func() {
		if err := s.view.Close(); err != nil {
			p.Logger.Error("close the view", "cause", err)
		}
	})
	s.normalize, s.hub = normalize.New(providers.All()), watch.NewHub(s.view)
	s.projector = projector.New(projector.Options{
		Ledger: s.ledger, Normalizer: s.normalize, Events: s.events, View: s.view,
		Observer: p.metrics, Watchers: s.hub, Tracer: p.tracer, Now: time.Now, Logger: p.Logger,
	})
	return nil
}

// openEvents opens the event stream. It has a connection of its own: a commit of the
// ledger would else wait behind a batch of events.
func (p *process) openEvents(ctx context.Context) (*eventstream.Stream, error) {
	nc, err := p.connectNATS(nats.WriteBufferSize(eventsBuffer))
	if err != nil {
		return nil, err
	}
	events, err := eventstream.Open(ctx, eventstream.Options{
		Conn: nc, Replicas: int(p.Config.GetNats().GetReplicas()), AckTimeout: p.ackTimeout(),
		JSON: p.Config.GetEvents().GetEncoding() == "json", Tracer: p.tracer, Logger: p.Logger,
	})
	if err == nil && p.stage != nil {
		p.stage(eventstream.Name)
	}
	return events, err
}

// openLedger locks data_dir, reaches NATS and opens the ledger.
func (p *process) openLedger(ctx context.Context, health func(error)) (s *stores, err error) {
	s = &stores{}
	if s.conn, err = p.connect(ctx); err != nil {
		return nil, err
	}
	o := p.ledgerOptions(s.conn)
	o.Health = health
	if len(p.Config.GetEncryption().GetKeys()) > 0 {
		if s.ring, err = p.openRing(ctx, s.conn); err != nil {
			return nil, err
		}
		o.Sealer = s.ring
	}
	s.ledger, err = ledger.Open(ctx, o)
	return s, err
}

// connect locks data_dir and reaches NATS.
func (p *process) connect(ctx context.Context) (*nats.Conn, error) {
	unlock, err := lock(p.Config.GetDataDir())
	if err != nil {
		return nil, err
	}
	p.closers.push(unlock)
	if err := p.sweep(); err != nil {
		return nil, err
	}
	return p.reachNATS(ctx)
}

// sweep removes the views of verifications that were killed; the lock is ours.
func (p *process) sweep() error {
	left, err := filepath.Glob(p.file(verifyPrefix + "*"))
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
	}
	return nil
}

func (p *process) ledgerOptions(nc *nats.Conn) ledger.Options {
	return ledger.Options{
		Conn: nc, Replicas: int(p.Config.GetNats().GetReplicas()), AckTimeout: p.ackTimeout(), Now: time.Now,
		Observer: p.metrics, Checkpoint: p.file(checkpointFile), Trimmed: p.Config.GetRetention().GetLedger() != nil, Storage: p.storage, Health: nobody, Logger: p.Logger,
	}
}

func (p *process) openRing(ctx context.Context, nc *nats.Conn) (*seal.Ring, error) {
	var keys []seal.Key
	for i, k := range p.Config.GetEncryption().GetKeys() {
		field := fmt.Sprintf("encryption.keys[%d].key", i)
		text, err := p.secrets().Read(k.GetKey())
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", config.Locate(p.ConfigFile, field), field, err)
		}
		key := seal.Key{ID: k.GetId()}
		raw, err := hex.DecodeString(strings.TrimSpace(text))
		if err != nil || len(raw) != len(key.Secret) {
			return nil, fmt.Errorf("%s: %s: want %d hex digits", config.Locate(p.ConfigFile, field), field, 2*len(key.Secret))
		}
		copy(key.Secret[:], raw)
		keys = append(keys, key)
	}
	store, err := ledger.OpenKeyStore(ctx, nc, int(p.Config.GetNats().GetReplicas()))
	if err != nil {
		return nil, err
	}
	return seal.Open(ctx, store, keys, rand.Reader)
}
