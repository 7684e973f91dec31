package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/paynorm/paynorm/services/normalizer/drift"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"github.com/paynorm/paynorm/services/normalizer/rpc"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

// noon is what the server takes for now, and when event 0 would be received.
func noon() time.Time { return time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC) }

// world is a server over a real view and hub, a real connection to it, and
// what stands in for the ledger behind it.
type world struct {
	t      testing.TB
	conn   *grpc.ClientConn
	server *rpc.Server
	events *rpc.Events
	hub    *watch.Hub
	view   *view.View
	drift  *drift.Book
	log    *logtest.Buffer
	first  int64 // cursor that is kept; 0 is 1

	ingest func(provider.Delivery) (ingest.Receipt, error)
	issue  func(providerID, merchant, authorization string, body []byte) ([]byte, error)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	v, err := view.Open(context.Background(), filepath.Join(t.TempDir(), "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, view: v, hub: watch.NewHub(v), drift: drift.NewBook(), log: &logtest.Buffer{}}
	w.events = rpc.NewEvents(v, w.hub, w)
	n := normalize.New(providers.All())
	w.server, w.conn = connect(t, rpc.Services{
		Normalizer: &rpc.Normalizer{Ingester: w, Tokens: w, Now: noon, Normalize: n, States: v},
		Events:     w.events,
		Payments:   rpc.NewPayments(v, nil, n),
		Deliveries: rpc.NewDeliveries(v, nil, nil, n, nil),
		Providers:  rpc.NewProviders(providers.All(), w.drift),
		Endpoints:  rpc.NewEndpoints(activity.NewBook(), noon),
	}, w.log)
	t.Cleanup(w.hub.Close)
	return w
}

// connect serves services and connects to them. The server and the connection
// end before what was there before it.
func connect(t testing.TB, services rpc.Services, log io.Writer) (*rpc.Server, *grpc.ClientConn) {
	t.Helper()
	server, err := rpc.New(services, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	pipe := bufconn.Listen(1 << 20)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(pipe); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///normalizer", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(64<<10), // fixed: else clients that do not read take in more and more
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		serving.Wait()
	})
	return server, conn
}

// First implements rpc.Extent.
func (w *world) First(context.Context) (int64, error) { return max(1, w.first), nil }

// Ingest implements rpc.Ingester.
func (w *world) Ingest(_ context.Context, d provider.Delivery) (ingest.Receipt, error) {
	return w.ingest(d)
}

// IssueToken implements rpc.TokenIssuer.
func (w *world) IssueToken(_ context.Context, providerID, merchant, authorization string, body []byte) ([]byte, error) {
	return w.issue(providerID, merchant, authorization, body)
}

// event makes an event of the payment that follows from its cursor: payments 1
// to 5 in turn, of merchant acme and bolt in turn.
func event(cursor int64) *eventv1.PaymentStatusChanged {
	return &eventv1.PaymentStatusChanged{
		Name: fmt.Sprintf("events/e%d", cursor), Kind: eventv1.Kind_KIND_PAYMENT, Cursor: cursor,
		Provider: "clip", Merchant: []string{"acme", "bolt"}[cursor%2], Payment: fmt.Sprintf("payments/p%d", cursor%5+1),
		ProviderPaymentId: fmt.Sprintf("pp-%d", cursor%5+1), PaymentVersion: cursor/5 + 1,
		Status:      &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		ReceiveTime: timestamppb.New(noon().Add(time.Duration(cursor) * time.Second)),
	}
}

// publish brings events into view and hub, as the projector does.
func (w *world) publish(events ...*eventv1.PaymentStatusChanged) {
	w.t.Helper()
	head := events[len(events)-1].GetCursor()
	w.apply(events...)
	w.hub.Publish(events, head)
}

func (w *world) apply(events ...*eventv1.PaymentStatusChanged) {
	w.t.Helper()
	b := view.Batch{Cursor: events[len(events)-1].GetCursor(), Events: events, States: map[string]*ledgerv1.PaymentState{}}
	for _, e := range events {
		b.States[e.GetPayment()] = &ledgerv1.PaymentState{
			Version: e.GetPaymentVersion(), Machines: map[string]*ledgerv1.MachineState{"payment": {Last: e}},
		}
	}
	if err := w.view.Apply(context.Background(), b); err != nil {
		w.t.Fatal(err)
	}
}

// publishUpTo publishes events 1 to n, one by one.
func (w *world) publishUpTo(n int64) (events []*eventv1.PaymentStatusChanged) {
	for cursor := range n {
		events = append(events, event(cursor+1))
		w.publish(events[cursor])
	}
	return events
}

func ctx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // so that what hangs fails
	t.Cleanup(cancel)
	return ctx
}

// failure is what a caller sees of an error.
type failure struct {
	Code    codes.Code
	Reason  string
	Message string
	Fields  []string // field: description
	Retry   time.Duration
}

func failureOf(err error) failure {
	s := status.Convert(err)
	f := failure{Code: s.Code(), Message: s.Message()}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			f.Reason = d.GetReason()
			if d.GetDomain() != "paynorm.dev" {
				f.Reason += " of domain " + d.GetDomain()
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.Fields = append(f.Fields, v.GetField()+": "+v.GetDescription())
			}
		case *errdetails.RetryInfo:
			f.Retry = d.GetRetryDelay().AsDuration()
		}
	}
	return f
}

func invalid(field, description string) failure {
	text := field + ": " + description
	return failure{Code: codes.InvalidArgument, Reason: "INVALID_FIELD", Message: text, Fields: []string{text}}
}

var (
	_         rpc.Ingester                    = (*world)(nil)
	_         rpc.EventReader                 = (*view.View)(nil)
	_         rpc.PaymentReader               = (*view.View)(nil)
	_         rpc.Watcher                     = (*watch.Hub)(nil)
	_         rpc.DeliveryReader              = (*view.View)(nil)
	_         rpc.StateReader                 = (*view.View)(nil)
	_         rpc.Commands                    = (*ledger.Ledger)(nil)
	_         rpc.Projection                  = (*projector.Projector)(nil)
	_         rpc.Extent                      = (*eventstream.Stream)(nil)
	_         normalizerv1.EventServiceServer = (*rpc.Events)(nil)
	errLedger                                 = errors.New("the disk at /var/lib is full")
)
