package rpc_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/paynorm/paynorm/services/normalizer/drift"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/rpc"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

// pipeline is everything from the ledger to the API, over a NATS server of its own.
type pipeline struct {
	t       *testing.T
	ledger  *ledger.Ledger
	project *projector.Projector
	conn    *grpc.ClientConn
	mapping *learning
	sealer  *forgetful
	n       int // deliveries sent
	gate    *access.Gate
	asked   atomic.Int64 // how often somebody was let in or not
	drift   *drift.Book
	nats    *natsd.Server
	expect  []string // the accounts that endpoints expect today
	server  *rpc.Server
	log     *logtest.Buffer
}

// learning is the adapter of Clip before and after it learns the word EXPIRED.
type learning struct {
	provider.Adapter
	knows atomic.Bool
}

func (l *learning) Normalize(d provider.Delivery, plaintext []byte) provider.Result {
	r := l.Adapter.Normalize(d, plaintext)
	for i, it := range r.Items {
		if it.Fact != nil && it.Fact.Event.GetProviderStatus() == "EXPIRED" && !l.knows.Load() {
			r.Items[i] = provider.Item{Quarantine: &provider.Quarantine{
				Reason: eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, Detail: "EXPIRED is not mapped yet", Payment: it.Fact.Payment,
			}}
		}
	}
	return r
}

// forgetful seals nothing, but for a mark, and can be told to have lost its keys.
type forgetful struct{ lost atomic.Bool }

func (*forgetful) Seal(_ ledger.Place, d *ledgerv1.Delivery) error {
	d.Sealed = &ledgerv1.Sealed{Epoch: "one", Ciphertext: d.GetBody()}
	d.Body = nil
	return nil
}

func (f *forgetful) Open(_ ledger.Place, d *ledgerv1.Delivery) error {
	d.Body, d.Erased, d.Sealed = d.GetSealed().GetCiphertext(), f.lost.Load(), nil
	if d.GetErased() {
		d.Body, d.Path, d.RemoteAddress, d.Headers = nil, "", "", nil
	}
	return nil
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	server := natsdtest.Start(t, "")
	nc, log := natsdtest.Connect(t, server), slog.New(slog.DiscardHandler)
	p := &pipeline{t: t, nats: server, mapping: &learning{}, sealer: &forgetful{}, gate: &access.Gate{Now: noon}, drift: drift.NewBook(), log: &logtest.Buffer{}}
	p.admit(&configv1.Access{})
	adapters := providers.All()
	for i, a := range adapters {
		if a.Describe().ID == "clip" {
			p.mapping.Adapter = a
			adapters[i] = p.mapping
		}
	}
	var err error
	p.ledger, err = ledger.Open(t.Context(), ledger.Options{
		Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Now: time.Now, Health: func(error) {}, Sealer: p.sealer, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.ledger.Close)
	events, err := eventstream.Open(t.Context(), eventstream.Options{Conn: nc, Replicas: 1, AckTimeout: 5 * time.Second, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	v, err := view.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	hub, n := watch.NewHub(v), normalize.New(adapters)
	p.project = projector.New(projector.Options{
		Ledger: p.ledger, Normalizer: n, Events: events, View: v, Observer: unobserved{}, Watchers: hub, Now: time.Now, Logger: log,
	})
	if err := p.project.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var projecting sync.WaitGroup
	projecting.Go(func() {
		if err := p.project.Run(running); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		projecting.Wait()
	})
	p.server, p.conn = connect(t, rpc.Services{
		Normalizer: &rpc.Normalizer{Now: noon, Normalize: n, States: v, Ledger: p.ledger},
		Events:     rpc.NewEvents(v, hub, events),
		Payments:   rpc.NewPayments(v, p.ledger, n),
		Deliveries: rpc.NewDeliveries(v, p.ledger, p.project, n, p),
		Providers:  rpc.NewProviders(adapters, p.drift),
		Endpoints:  rpc.NewEndpoints(activity.NewBook(), noon),
		Access:     p,
		AskAgain:   time.Millisecond,
	}, p.log)
	t.Cleanup(hub.Close)
	return p
}

// Authenticate implements rpc.Doorkeeper.
func (p *pipeline) Authenticate(authorization string) (access.Caller, error) {
	defer p.asked.Add(1)
	return p.gate.Authenticate(authorization)
}

// Find implements rpc.EndpointFinder: only acme has endpoints.
func (p *pipeline) Find(providerID, merchant string) (*endpoint.Endpoint, error) {
	if merchant != "acme" {
		return nil, endpoint.ErrNotFound
	}
	return &endpoint.Endpoint{Provider: providerID, Merchant: merchant, ExpectAccounts: p.expect}, nil
}

type unobserved struct{}

func (unobserved) Projected(string, normalize.Item, bool) {}
func (unobserved) Drifted(string, []string, time.Time)    {}

// clip is a body of Clip about the payment pp-1, in minute n by its time.
func clip(status, member string, n int) string {
	return fmt.Sprintf(`{"resource":"CHECKOUT","resource_status":%q,"payment_request_id":"pp-1","transaction_id":"t-1","me_reference_id":"order-7","payment_type":"CARD",%q:"2025-01-31T12:%02d:00Z"}`,
		status, member, n)
}

// send has deliveries accepted and projected, each in a commit of its own and a
// minute after the one before. It returns their names.
func (p *pipeline) send(providerID string, bodies ...string) (names []string) {
	p.t.Helper()
	for _, body := range bodies {
		p.n++
		at, err := p.ledger.Append(ctx(p.t), &ledgerv1.Delivery{
			Provider: providerID, Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Method: "POST",
			Path: "/webhooks/" + providerID + "/acme", RawQuery: "token=REDACTED", RemoteAddress: "192.0.2.7",
			Headers: []*ledgerv1.Header{{Name: "x-odd", Value: []byte("a\xffb")}}, Body: []byte(body),
			ReceiveTime:  timestamppb.New(noon().Add(time.Duration(p.n) * time.Minute)),
			Verification: &eventv1.Verification{Scheme: "url_token", KeyId: "acme-1", Coverage: eventv1.Coverage_COVERAGE_SENDER},
		})
		if err != nil {
			p.t.Fatal(err)
		}
		if err := p.project.Await(ctx(p.t), at.Sequence); err != nil {
			p.t.Fatal(err)
		}
		names = append(names, normalize.Place{Sequence: at.Sequence, Index: at.Index}.Delivery())
	}
	return names
}
