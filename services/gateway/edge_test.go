package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// normalizer is a NormalizerService that records what it was asked and answers
// what the test wants.
type normalizer struct {
	normalizerv1.UnimplementedNormalizerServiceServer
	answer func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error)
	issue  func(*normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error)

	mu  sync.Mutex
	got []*normalizerv1.IngestDeliveryRequest
}

func (n *normalizer) IngestDelivery(ctx context.Context, r *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
	n.mu.Lock()
	n.got = append(n.got, r)
	n.mu.Unlock()
	if n.answer == nil {
		return acknowledgement(204, "", ""), nil
	}
	return n.answer(ctx, r)
}

func (n *normalizer) IssueToken(_ context.Context, r *normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error) {
	return n.issue(r)
}

// taken returns what came since the last call.
func (n *normalizer) taken() []*normalizerv1.IngestDeliveryRequest {
	n.mu.Lock()
	defer n.mu.Unlock()
	got := n.got
	n.got = nil
	return got
}

func acknowledgement(status int32, contentType, body string) *normalizerv1.IngestDeliveryResponse {
	return &normalizerv1.IngestDeliveryResponse{
		Delivery:        "deliveries/d1",
		HttpStatus:      status,
		Acknowledgement: &httpbody.HttpBody{ContentType: contentType, Data: []byte(body)},
	}
}

// dial runs a gRPC server with what register puts on it, and connects to it.
func dial(t testing.TB, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	s := grpc.NewServer(grpc.MaxRecvMsgSize(8 << 20))
	register(s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	c, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func dialNormalizer(t testing.TB, n *normalizer) *grpc.ClientConn {
	return dial(t, func(s *grpc.Server) { normalizerv1.RegisterNormalizerServiceServer(s, n) })
}

// serve runs the gateway as it runs in production, on a port of its own.
func serve(t testing.TB, o gateway.Options) *httptest.Server {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reads == nil {
		o.Reads = o.Webhooks
	}
	if o.Webhooks == nil {
		o.Webhooks = o.Reads
	}
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(nil)
	h.Config = gateway.Server(o)
	h.Config.Handler = g.Handler()
	h.Start()
	t.Cleanup(h.Close)
	return h
}

// edge is a gateway in front of n, with default options.
func edge(t testing.TB, n *normalizer) *httptest.Server {
	t.Helper()
	return serve(t, gateway.Options{Webhooks: dialNormalizer(t, n)})
}

// answered is an HTTP answer that was read to its end.
type answered struct {
	status int
	header http.Header
	body   string
}

func shut(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func read(t testing.TB, r *http.Response) answered {
	t.Helper()
	defer shut(t, r.Body)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{r.StatusCode, r.Header, string(b)}
}

// send writes request as it is and reads one answer.
func send(t testing.TB, h *httptest.Server, request string) answered {
	t.Helper()
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, c)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func post(t testing.TB, h *httptest.Server, path, contentType, body string) answered {
	t.Helper()
	r, err := http.Post(h.URL+path, contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func get(t testing.TB, h *httptest.Server, path string) answered {
	t.Helper()
	r, err := http.Get(h.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}
