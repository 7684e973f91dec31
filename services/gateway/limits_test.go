package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

func TestBodyIsTakenUpToTheLimit(t *testing.T) {
	const limit = 50_000
	var n normalizer
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), MaxBodyBytes: limit})
	for _, c := range []struct{ size, want int }{
		{limit, 204}, {limit + 1, 413}, {2 * limit, 413}, {3*limit + 1, 413},
	} {
		body := strings.Repeat("x", c.size)
		for framing, tail := range map[string]string{
			"with length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", c.size, body),
			"chunked":     fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", c.size, body),
		} {
			a := send(t, h, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"+tail)
			if got := len(n.taken()); a.status != c.want || got != btoi(c.want == 204) {
				t.Errorf("%d bytes %s: got %d after %d calls, want %d", c.size, framing, a.status, got, c.want)
			}
		}
	}
}

// A pipe holds nothing back: the sender gets its body off only if the edge takes it.
func TestSenderOfABodyThatIsTooLargeGetsTheAnswer(t *testing.T) {
	const limit = 1 << 20
	body := strings.Repeat("x", 2*limit)
	for _, head := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(body)),
	} {
		c := onPipe(t, gateway.Options{Webhooks: conn(nil), Reads: conn(nil), MaxBodyBytes: limit})
		if _, err := io.WriteString(c, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"+head+body); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(head, "Transfer") {
			if _, err := io.WriteString(c, "\r\n0\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		if a := receive(t, c); a.status != 413 {
			t.Errorf("got %d, want 413", a.status)
		}
	}
}

func TestBodyThatIsTooLargeIsNotAskedFor(t *testing.T) {
	var n normalizer
	h := edge(t, &n)
	a := send(t, h, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")
	if a.status != 413 {
		t.Errorf("got %d, want 413 and no 100", a.status)
	}
}

func TestTokenFormIsSmall(t *testing.T) {
	n := normalizer{issue: func(*normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error) {
		return nil, status.Error(codes.InvalidArgument, "reached")
	}}
	h := edge(t, &n)
	for size, want := range map[int]int{16 << 10: 400, 16<<10 + 1: 413} {
		if a := post(t, h, "/oauth2/incode/acme/token", "", strings.Repeat("x", size)); a.status != want {
			t.Errorf("%d bytes: got %d, want %d", size, a.status, want)
		}
	}
}

func TestBodyThatIsCutOffIsRefused(t *testing.T) {
	var n normalizer
	h := edge(t, &n)
	for name, tail := range map[string]string{
		"shorter than its length": "Content-Length: 10\r\n\r\n{}",
		"no last chunk":           "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"malformed chunk":         "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
	} {
		c, err := net.Dial("tcp", h.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"+tail); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if a := read(t, r); a.status != 400 || len(n.taken()) != 0 {
			t.Errorf("%s: got %d, want 400 and no call", name, a.status)
		}
		shut(t, c)
	}
}

func TestSenderThatClosesItsSideIsStillAcknowledged(t *testing.T) {
	var n normalizer
	h := edge(t, &n)
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, c)
	if _, err := io.WriteString(c, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, r); a.status != 204 {
		t.Errorf("got %d, want 204", a.status)
	}
}

func TestWhatTheEnvelopeCannotHoldIsRefused(t *testing.T) {
	var n normalizer
	h := edge(t, &n)
	for _, c := range []struct {
		name, target, headers string
		want                  int
	}{
		{"longest query", "?" + strings.Repeat("a", 8192), "", 204},
		{"longer query", "?" + strings.Repeat("a", 8193), "", 414},
		{"most headers", "", strings.Repeat("A: b\r\n", 254), 204},
		{"more headers", "", strings.Repeat("A: b\r\n", 255), 431},
	} {
		a := send(t, h, "POST /webhooks/clip/acme"+c.target+" HTTP/1.1\r\nHost: x\r\n"+c.headers+"Content-Length: 0\r\n\r\n")
		if got := len(n.taken()); a.status != c.want || got != btoi(c.want == 204) {
			t.Errorf("%s: got %d after %d calls, want %d", c.name, a.status, got, c.want)
		}
	}
}

func TestMoreWebhooksThanMayBeInWorkAreTurnedAwayAtOnce(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	n := normalizer{answer: func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
		entered <- struct{}{}
		<-leave
		return acknowledgement(204, "", ""), nil
	}}
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), MaxConcurrentWebhooks: 2})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			r, err := http.Post(h.URL+"/webhooks/clip/acme", "", nil)
			if err != nil {
				t.Error(err)
				return
			}
			if a := read(t, r); a.status != 204 {
				t.Errorf("within the limit: got %d, want 204", a.status)
			}
		})
		<-entered
	}
	if a := post(t, h, "/webhooks/clip/acme", "", "{}"); a.status != 503 || a.header.Get("Retry-After") != "1" {
		t.Errorf("over the limit: got %d, Retry-After %q; want 503, 1", a.status, a.header.Get("Retry-After"))
	}
	close(leave)
	wg.Wait()
	go func() { <-entered }()
	if a := post(t, h, "/webhooks/clip/acme", "", "{}"); a.status != 204 {
		t.Errorf("after the others: got %d, want 204", a.status)
	}
}

func TestSlowSenderGets408(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := conn(func(context.Context, string, any, any) error { return errors.New("reached") })
		c := onPipe(t, gateway.Options{Webhooks: never, Reads: never, ReadTimeout: time.Minute})
		start := time.Now()
		if _, err := io.WriteString(c, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		a := receive(t, c)
		if took := time.Since(start); a.status != 408 || took != time.Minute {
			t.Errorf("got %d after %v, want 408 after a minute", a.status, took)
		}
	})
}

func TestServiceThatIsTooSlowIs503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := conn(func(ctx context.Context, _ string, _, _ any) error {
			<-ctx.Done()
			return status.FromContextError(ctx.Err()).Err()
		})
		c := onPipe(t, gateway.Options{Webhooks: slow, Reads: slow, ReadTimeout: time.Second, WebhookTimeout: 8 * time.Second})
		for range 2 { // the second on the same connection, long after the first
			start := time.Now()
			if _, err := io.WriteString(c, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
				t.Fatal(err)
			}
			a := receive(t, c)
			if took := time.Since(start); a.status != 503 || a.header.Get("Retry-After") != "1" || took != 8*time.Second {
				t.Errorf("got %d after %v, want 503 after 8s", a.status, took)
			}
			time.Sleep(time.Minute) // on the test's clock
		}
	})
}

func TestQueryMayTakeLongerThanARequestMayTakeToArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := conn(func(ctx context.Context, method string, _, _ any) error {
			if method == normalizerv1.PaymentService_ListPayments_FullMethodName {
				time.Sleep(29 * time.Second) // on the test's clock
				return nil
			}
			<-ctx.Done()
			return status.FromContextError(ctx.Err()).Err()
		})
		c := onPipe(t, gateway.Options{Webhooks: slow, Reads: slow})
		for path, want := range map[string]int{"/v1/payments": 200, "/v1/events": 504} {
			if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if a := receive(t, c); a.status != want {
				t.Errorf("%s: got %d, want %d", path, a.status, want)
			}
		}
	})
}

func TestClientThatDoesNotReadIsCutOff(t *testing.T) {
	for _, request := range []string{
		"POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) { clientThatDoesNotRead(t, request) })
	}
}

func clientThatDoesNotRead(t *testing.T, request string) {
	large := conn(func(_ context.Context, _ string, _, out any) error {
		r := out.(*normalizerv1.IngestDeliveryResponse)
		r.HttpStatus = 200
		r.Acknowledgement = acknowledgement(200, "text/plain", strings.Repeat("x", 1<<20)).GetAcknowledgement()
		return nil
	})
	c := onPipe(t, gateway.Options{Webhooks: large, Reads: large, OpenAPI: make([]byte, 1<<20)})
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour) // on the test's clock
	if n, err := io.Copy(io.Discard, c); err != nil || n != 0 {
		t.Errorf("got %d bytes and %v after the write deadline, want a closed connection", n, err)
	}
}
