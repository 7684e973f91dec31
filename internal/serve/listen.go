package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/paynorm/paynorm"
	"github.com/paynorm/paynorm/services/gateway"
	"github.com/paynorm/paynorm/services/gateway/reference"
	"github.com/paynorm/paynorm/services/normalizer/providers"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"
)

// maxAnswer is the largest answer of the normalizer that the edge takes: a
// delivery of 4 MiB with what it decrypts to.
const maxAnswer = 16 << 20

// listenGRPC serves the normalizer's services to the network.
func (p *process) listenGRPC(ctx context.Context, n *normalizer) error {
	cfg := p.Config.GetGrpc()
	c, err := p.serverTLS("grpc.tls", cfg.GetTls(), false, "h2")
	if err != nil {
		return err
	}
	l, err := listen(ctx, "grpc.address", cfg.GetAddress())
	if err != nil {
		return err
	}
	p.addresses.GRPC = l.Addr().String()
	p.group.Go(func() error { return n.rpc.Serve(secured(l, c)) })
	p.closers.push(func() {
		n.rpc.Health.Shutdown()
		n.endStreams()
		stopGRPC(n.rpc.Server)
	})
	return nil
}

// stopGRPC lets calls in work finish, for a while.
func stopGRPC(s *grpc.Server) {
	force := time.AfterFunc(stopWithin, s.Stop)
	defer force.Stop()
	s.GracefulStop()
}

// inProcess connects to the normalizer's services without a socket, streams included.
func (p *process) inProcess(n *normalizer) (grpc.ClientConnInterface, error) {
	pipe := bufconn.Listen(1 << 20)
	p.group.Go(func() error { return n.rpc.Serve(pipe) })
	conn, err := grpc.NewClient("passthrough:///normalizer", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		return nil, err
	}
	p.closers.push(func() { conn.Close() })
	return conn, nil
}

// reconnecting is how often a normalizer that is away is looked for. By default of gRPC
// that becomes once in two minutes, and for as long webhooks would be refused after it is back.
var reconnecting = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

// dialNormalizer connects to the normalizer of another process.
func (p *process) dialNormalizer(more ...grpc.DialOption) (*grpc.ClientConn, error) {
	transport, err := p.normalizerCredentials()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(p.Config.GetGateway().GetNormalizerAddress(), append(more, transport,
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnecting, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))...)
	if err != nil {
		return nil, fmt.Errorf("gateway.normalizer_address: %w", err)
	}
	p.closers.push(func() { conn.Close() })
	return conn, nil
}

// answers says why the normalizer behind conn cannot take deliveries.
func answers(ctx context.Context, conn *grpc.ClientConn) error {
	health, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return fmt.Errorf("the normalizer at %s does not answer", conn.Target())
	}
	if health.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("the normalizer at %s is %s", conn.Target(), health.GetStatus())
	}
	return nil
}

// startGateway serves the HTTP edge. When it stops, watches end first: they would
// go on for ever. Requests in work are then waited for.
func (p *process) startGateway(ctx context.Context, webhooks, reads grpc.ClientConnInterface, ready func(context.Context) error) error {
	var known []string
	for _, a := range providers.All() {
		known = append(known, a.Describe().ID)
	}
	page, err := reference.New(paynorm.OpenAPI)
	if err != nil {
		return err
	}
	cfg := p.Config.GetHttp()
	o := gateway.Options{
		Webhooks: webhooks, Reads: reads, Providers: known, Ready: ready,
		MaxBodyBytes:          cfg.GetMaxBodyBytes(),
		MaxBytesInFlight:      cfg.GetMaxBytesInFlight(),
		MaxConcurrentWebhooks: int(cfg.GetMaxConcurrentWebhooks()),
		WebhookTimeout:        cfg.GetWebhookTimeout().AsDuration(),
		ReadTimeout:           cfg.GetReadTimeout().AsDuration(),
		MaxHeaderBytes:        int(cfg.GetMaxHeaderBytes()),
		OpenAPI:               paynorm.OpenAPI, AsyncAPI: paynorm.AsyncAPI, Reference: page, Now: time.Now, Logger: p.Logger, Metrics: p.metrics, Tracer: p.tracer,
	}
	if err := edgeLimits(&o, cfg); err != nil {
		return err
	}
	g, err := gateway.New(o)
	if err != nil {
		return err
	}
	c, err := p.serverTLS("http.tls", cfg.GetTls(), asksForCertificates(p.Config), "http/1.1")
	if err != nil {
		return err
	}
	l, err := listen(ctx, "http.address", cfg.GetAddress())
	if err != nil {
		return err
	}
	p.addresses.HTTP = l.Addr().String()
	server := gateway.Server(o)
	server.Handler = g.Handler()
	p.serveHTTP(server, secured(netutil.LimitListener(l, int(cfg.GetMaxConnections())), c))
	p.closers.push(g.EndWatches)
	return nil
}

func (p *process) listenMetrics(ctx context.Context, field, address string) error {
	l, err := listen(ctx, field, address)
	if err != nil {
		return err
	}
	p.addresses.Metrics = l.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.metrics.Handler())
	if p.Config.GetMetrics().GetPprof() {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	p.serveHTTP(&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, l)
	return nil
}

// serveHTTP runs server until the closers get to it; requests in work are answered.
func (p *process) serveHTTP(server *http.Server, l net.Listener) {
	p.group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	p.closers.push(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			server.Close()
		}
	})
}
