package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paynorm/paynorm/services/gateway"
)

// conn is a service without a network, so that it can run on a test's clock.
type conn func(ctx context.Context, method string, in, out any) error

func (c conn) Invoke(ctx context.Context, method string, in, out any, _ ...grpc.CallOption) error {
	return c(ctx, method, in, out)
}

func (conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "no streams")
}

// pipes is a net.Listener of connections in memory, which know deadlines.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

// onPipe runs the gateway in the bubble of a synctest and opens a connection to it.
func onPipe(t *testing.T, o gateway.Options) net.Conn {
	t.Helper()
	return onPipes(t, o, 1)[0]
}

// onPipes is onPipe with so many connections.
func onPipes(t *testing.T, o gateway.Options, connections int) []net.Conn {
	t.Helper()
	o.Now = time.Now
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := gateway.Server(o)
	s.Handler = g.Handler()
	l := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	var all []net.Conn
	for range connections {
		ours, theirs := net.Pipe()
		l.accept <- theirs
		all = append(all, ours)
	}
	t.Cleanup(func() {
		for _, c := range all {
			shut(t, c)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return all
}

func receive(t *testing.T, c net.Conn) answered {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}
