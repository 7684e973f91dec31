package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/internal/loopback"
	"github.com/paynorm/paynorm/internal/serve"
	"github.com/paynorm/paynorm/internal/tlsfiles/tlstest"
)

// exposed is a paynorm with TLS, tokens, users and client certificates everywhere.
type exposed struct {
	t                *testing.T
	dir              string
	http, grpc, nats string
	server, clients  *tlstest.Authority
	log              *logtest.Buffer
}

const exposedConfig = `
http: {address: "%[1]s", tls: {cert_file: server.pem, key_file: server.key}}
grpc: {address: "%[2]s", tls: {cert_file: server.pem, key_file: server.key, client_ca_file: clients.pem}}
nats:
  address: "%[3]s"
  tls: {cert_file: server.pem, key_file: server.key}
  users: [{name: books, password: {file: books}, merchants: [acme], consumers: [{name: invoices}]}]
metrics: {address: "%[4]s"}
data_dir: %[5]s/data
access: {tokens: [{id: shop, sha256: %[6]s, merchants: [acme]}]}
endpoints:
  - provider: clip
    merchant: acme
    mode: live
    auth: [{client_certificate: {ca: {file: clients.pem}, names: [rail]}}]
`

func expose(t *testing.T) *exposed {
	t.Helper()
	free, err := loopback.Addresses(4)
	if err != nil {
		t.Fatal(err)
	}
	x := &exposed{
		t: t, dir: t.TempDir(), http: free[0], grpc: free[1], nats: free[2], log: &logtest.Buffer{},
		server: tlstest.NewAuthority(t, "servers"), clients: tlstest.NewAuthority(t, "clients"),
	}
	x.server.Issue(t, "first").Write(t, x.dir, "server")
	sum := sha256.Sum256([]byte("hunter2-token"))
	x.write("clients.pem", x.clients.PEM)
	x.write("books", []byte("hunter2-books\n"))
	x.write("paynorm.yaml", fmt.Appendf(nil, exposedConfig, x.http, x.grpc, x.nats, free[3], x.dir, hex.EncodeToString(sum[:])))
	cfg, err := config.Load(filepath.Join(x.dir, "paynorm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- serve.All(running, serve.Options{
			Config: cfg, ConfigFile: filepath.Join(x.dir, "paynorm.yaml"), Getenv: func(string) (string, bool) { return "", false },
			Logger: slog.New(slog.NewTextHandler(x.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for tries := 0; ; tries++ {
		conn, err := net.Dial("tcp", x.http)
		if err == nil {
			_ = conn.Close()
			return x
		}
		select {
		case err := <-ended:
			ended <- nil
			t.Fatalf("paynorm ended: %v\n%s", err, x.log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if tries > 1200 {
			t.Fatalf("paynorm does not start:\n%s", x.log.String())
		}
	}
}

func (x *exposed) write(name string, data []byte) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), data, 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// do makes a request over TLS and returns its status and the server's certificate.
func (x *exposed) do(method, path, token string, shown ...tlstest.Pair) (int, string) {
	x.t.Helper()
	c := &tls.Config{RootCAs: x.server.Pool(), ServerName: "localhost"}
	for _, p := range shown {
		c.Certificates = append(c.Certificates, p.TLS(x.t))
	}
	transport := &http.Transport{TLSClientConfig: c}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(x.t.Context(), method, "https://"+x.http+path, strings.NewReader(""))
	if err != nil {
		x.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		x.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.TLS.PeerCertificates[0].Subject.CommonName
}

func TestEveryDoorIsLockedAndOpensWithItsKey(t *testing.T) {
	x := expose(t)
	rail, other := x.clients.Issue(t, "rail"), tlstest.NewAuthority(t, "other").Issue(t, "rail")
	for _, tt := range []struct {
		name, method, path, token string
		shown                     []tlstest.Pair
		want                      int
	}{
		{"a webhook with the certificate", "POST", "/webhooks/clip/acme", "", []tlstest.Pair{rail}, 200},
		{"a webhook with a stranger's certificate", "POST", "/webhooks/clip/acme", "", []tlstest.Pair{other}, 401},
		{"a webhook with a certificate of another name", "POST", "/webhooks/clip/acme", "", []tlstest.Pair{x.clients.Issue(t, "road")}, 401},
		{"a webhook without a certificate", "POST", "/webhooks/clip/acme", "", nil, 401},
		{"a read without a token", "GET", "/v1/events", "", nil, 401},
		{"a read with a wrong token", "GET", "/v1/events", "guess", []tlstest.Pair{rail}, 401},
		{"a read with the token", "GET", "/v1/events", "hunter2-token", nil, 200},
		{"a read of content without the scope", "GET", "/v1/deliveries?view=DELIVERY_VIEW_FULL", "hunter2-token", nil, 403},
		{"health", "GET", "/healthz", "", nil, 200},
	} {
		if got, _ := x.do(tt.method, tt.path, tt.token, tt.shown...); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	x.overGRPC(rail)
	x.overNATS()
	if log := x.log.String(); strings.Contains(log, "hunter2") {
		t.Errorf("the log holds a secret:\n%s", log)
	}
}

func (x *exposed) overGRPC(client tlstest.Pair) {
	x.t.Helper()
	trusted := &tls.Config{RootCAs: x.server.Pool(), ServerName: "localhost"}
	shown := trusted.Clone()
	shown.Certificates = []tls.Certificate{client.TLS(x.t)}
	for _, tt := range []struct {
		name      string
		transport credentials.TransportCredentials
		token     string
		want      codes.Code
	}{
		{"certificate and token", credentials.NewTLS(shown), "hunter2-token", codes.OK},
		{"certificate", credentials.NewTLS(shown), "", codes.Unauthenticated},
		{"token", credentials.NewTLS(trusted), "hunter2-token", codes.Unavailable},
		{"plain text", insecure.NewCredentials(), "hunter2-token", codes.Unavailable},
	} {
		conn, err := grpc.NewClient(x.grpc, grpc.WithTransportCredentials(tt.transport))
		if err != nil {
			x.t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(x.t.Context(), "authorization", "Bearer "+tt.token)
		_, err = normalizerv1.NewEventServiceClient(conn).ListEvents(ctx, &normalizerv1.ListEventsRequest{})
		if status.Code(err) != tt.want {
			x.t.Errorf("gRPC with %s: %v, want %s", tt.name, err, tt.want)
		}
		if tt.want == codes.OK { // the edge alone hands in deliveries
			_, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx, &normalizerv1.IngestDeliveryRequest{Provider: "clip", Merchant: "acme"})
			if status.Code(err) != codes.PermissionDenied {
				x.t.Errorf("a reader hands in a delivery: %v", err)
			}
		}
		conn.Close()
	}
}

func (x *exposed) overNATS() {
	x.t.Helper()
	secure := nats.Secure(&tls.Config{RootCAs: x.server.Pool(), ServerName: "localhost"})
	if nc, err := nats.Connect("nats://"+x.nats, secure); !errors.Is(err, nats.ErrAuthorization) {
		x.t.Errorf("NATS without a user: %v, %v", nc, err)
	}
	nc, err := nats.Connect("nats://"+x.nats, secure, nats.UserInfo("books", "hunter2-books"))
	if err != nil {
		x.t.Fatal(err)
	}
	defer nc.Close()
	if !nc.TLSRequired() {
		x.t.Error("NATS speaks plain text")
	}
	if m, err := nc.Request("$JS.API.CONSUMER.INFO.PAYNORM_EVENTS.invoices", nil, 5*time.Second); err != nil || !bytes.Contains(m.Data, []byte("payments.v1.*.*.acme.")) {
		x.t.Errorf("the declared consumer: %v, %v", m, err)
	}
}

func TestARenewedCertificateIsShownByARunningPaynorm(t *testing.T) {
	x := expose(t)
	if _, name := x.do("GET", "/healthz", ""); name != "first" {
		t.Fatalf("certificate of %q", name)
	}
	x.server.Issue(t, "second").Write(t, x.dir, "server")
	look, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for {
		if _, name := x.do("GET", "/healthz", ""); name == "second" {
			return
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatal("the new certificate is not used")
		}
	}
}
