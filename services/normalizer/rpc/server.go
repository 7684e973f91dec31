// Package rpc serves the normalizer's gRPC services. It is the only place that
// turns errors into status codes.
package rpc

import (
	"cmp"
	"log/slog"
	"time"

	"buf.build/go/protovalidate"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

// maxMessage is the largest request in bytes: the largest webhook and its headers.
const maxMessage = 8 << 20

// Services is what the server offers.
type Services struct {
	Normalizer normalizerv1.NormalizerServiceServer
	Events     normalizerv1.EventServiceServer
	Payments   normalizerv1.PaymentServiceServer
	Deliveries normalizerv1.DeliveryServiceServer
	Providers  normalizerv1.ProviderServiceServer
	Endpoints  normalizerv1.EndpointServiceServer
	// Access says who may call what. Nil: anybody everything, as in tests.
	Access Doorkeeper
	// AskAgain is how long after a token was revoked, or has run out, a stream that was
	// opened with it ends at the latest. Zero: 30 s.
	AskAgain time.Duration
}

// Server is a gRPC server with reflection and health, and a way to call its
// unary methods inside the process.
type Server struct {
	*grpc.Server
	Health *health.Server
	// Direct calls the unary methods of Normalizer inside the process, through the same interceptors.
	Direct grpc.ClientConnInterface
}

// New returns a server that is not listening yet. Its health is SERVING; the
// caller says otherwise when it stops.
func New(s Services, logger *slog.Logger) (*Server, error) {
	validator, err := protovalidate.New(protovalidate.WithMessages(
		&normalizerv1.IngestDeliveryRequest{}, &normalizerv1.IssueTokenRequest{}, &normalizerv1.GetEventRequest{},
		&normalizerv1.ListEventsRequest{}, &normalizerv1.WatchEventsRequest{}, &normalizerv1.GetPaymentRequest{},
		&normalizerv1.ListPaymentsRequest{}, &normalizerv1.GetProviderRequest{}, &normalizerv1.ListProvidersRequest{},
		&normalizerv1.NormalizeDeliveryRequest{}, &normalizerv1.ExplainPaymentRequest{}, &normalizerv1.GetDeliveryRequest{},
		&normalizerv1.ListDeliveriesRequest{}, &normalizerv1.ReprocessDeliveryRequest{}, &normalizerv1.ReprocessDeliveriesRequest{},
		&normalizerv1.GetEndpointRequest{}, &normalizerv1.ListEndpointsRequest{}))
	if err != nil {
		return nil, err
	}
	door := s.Access
	if door == nil {
		door = everybody{}
	}
	i := interceptors{validator: validator, door: door, again: cmp.Or(s.AskAgain, 30*time.Second), logger: logger}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(i.unary),
		grpc.StreamInterceptor(i.stream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(4096),
		grpc.MaxHeaderListSize(64<<10),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 15 * time.Minute, Time: time.Minute, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 20 * time.Second, PermitWithoutStream: true}),
	)
	direct := newDirect(i.unary)
	for _, to := range []grpc.ServiceRegistrar{server, direct} {
		normalizerv1.RegisterNormalizerServiceServer(to, s.Normalizer)
	}
	normalizerv1.RegisterEventServiceServer(server, s.Events)
	normalizerv1.RegisterPaymentServiceServer(server, s.Payments)
	normalizerv1.RegisterDeliveryServiceServer(server, s.Deliveries)
	normalizerv1.RegisterProviderServiceServer(server, s.Providers)
	normalizerv1.RegisterEndpointServiceServer(server, s.Endpoints)
	h := health.NewServer()
	healthv1.RegisterHealthServer(server, h)
	for name := range server.GetServiceInfo() {
		h.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	reflection.Register(server)
	return &Server{Server: server, Health: h, Direct: direct}, nil
}
