// Package natsd runs the embedded NATS server with JetStream.
package natsd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// MaxPayload is the largest message in bytes: a commit with the largest webhook
// body there can be, its plaintext and its headers fits.
const MaxPayload = 8 << 20

// maxStore leaves it to the disk how much there can be, in bytes.
const maxStore = 1 << 62

// tlsTimeout is how long a handshake may take, in seconds.
const tlsTimeout = 5

// Options says how the embedded server runs.
type Options struct {
	StoreDir string      // created when absent
	Address  string      // host:port for subscribers; port 0 takes a free one
	TLS      *tls.Config // of subscribers' connections; nil: plain text
	Users    []User      // who may subscribe; none: anybody
	Logger   *slog.Logger
}

// Server is a running embedded server. When its disk was full, it starts again by itself.
type Server struct {
	o     Options
	host  string
	guard *guard
	log   *logger

	mu      sync.Mutex
	port    int
	address string
	nats    *server.Server // shut down while it cannot start again
	failure error
	staging *staging // nil before it is needed, and where there is no memory for it
	staged  []string // the streams whose batches are gathered there

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// Start starts the server and returns once JetStream has recovered its store,
// which takes about 2.5 s for each million messages after a crash. Every message is
// synced to disk before it is acknowledged.
func Start(ctx context.Context, o Options) (*Server, error) {
	host, portText, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("nats.address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("nats.address: port %q is not a number", portText)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s := &Server{
		o: o, host: host, port: port, guard: newGuard(o.Users),
		log: &logger{slog: o.Logger, fatal: make(chan string, 1), broken: make(chan error, 1)},
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.stopped.Go(func() { s.watchDisk(run) })
	return s, nil
}

// start starts a server in place of the one before, at the same port.
func (s *Server) start(ctx context.Context) error {
	n, err := server.NewServer(&server.Options{
		ServerName: "paynorm", Host: s.host, Port: s.port,
		JetStream: true, StoreDir: s.o.StoreDir, SyncAlways: true,
		// Else three quarters of what is free at start, which then stays the limit when there is more.
		JetStreamMaxStore: maxStore,
		MaxPayload:        MaxPayload, NoSigs: true, DisableJetStreamBanner: true,
		TLS: s.o.TLS != nil, TLSConfig: s.o.TLS, TLSTimeout: tlsTimeout, CustomClientAuthentication: s.guard,
		// One projector and one ledger publish at a time; the default of 4096 pending batches is not needed.
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: 1000},
	})
	if err != nil {
		return fmt.Errorf("embedded NATS: %w", err)
	}
	n.SetLoggerV2(s.log, false, false, false)
	s.guard.shut()
	started := make(chan struct{})
	go func() {
		n.Start()
		close(started)
	}()
	for {
		select {
		case <-started:
			if !n.ReadyForConnections(5 * time.Second) {
				return s.failed(n, errors.New("does not accept connections"))
			}
			if !n.JetStreamEnabled() {
				return s.failed(n, errors.New("JetStream is off"))
			}
			if err := s.guard.open(n); err != nil {
				return s.failed(n, err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, stream := range s.staged {
				s.link(stream)
			}
			s.nats, s.address, s.port = n, n.Addr().String(), n.Addr().(*net.TCPAddr).Port
			return nil
		case reason := <-s.log.fatal:
			return s.failed(n, errors.New(reason))
		case <-ctx.Done():
			return s.failed(n, ctx.Err())
		case <-time.After(5 * time.Second):
			s.o.Logger.Info("the embedded NATS server is still recovering its store", "store", s.o.StoreDir)
		}
	}
}

func (s *Server) failed(n *server.Server, err error) error {
	n.Shutdown()
	n.WaitForShutdown()
	select {
	case reason := <-s.log.fatal:
		err = errors.New(reason)
	default:
	}
	return fmt.Errorf("embedded NATS: %w", err)
}

// Connect returns a connection inside the process. It never buffers: what it
// refuses was not stored. more are options of its own.
func (s *Server) Connect(more ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(more, nats.InProcessServer(s), nats.Name("paynorm"), nats.ErrorHandler(Logs(s.o.Logger)), nats.UserInfo(ourUser, s.guard.password), nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
}

// Logs returns what brings a connection's asynchronous errors to a log, at debug:
// who waits for something learns of its failure by itself.
func Logs(to *slog.Logger) nats.ErrHandler {
	return func(_ *nats.Conn, _ *nats.Subscription, err error) { to.Debug("NATS connection", "cause", err) }
}

// InProcessConn implements nats.InProcessConnProvider: it leads to the server that runs now.
func (s *Server) InProcessConn() (net.Conn, error) { return s.running().InProcessConn() }

func (s *Server) running() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nats
}

// Address returns where subscribers connect, as host:port.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Shutdown stops the server and returns once its store is closed.
func (s *Server) Shutdown() {
	s.stop()
	s.stopped.Wait()
	n := s.running()
	n.Shutdown()
	n.WaitForShutdown()
	if s.staging != nil {
		s.staging.remove()
	}
}

// FindStream says why storeDir does not hold a stream, without a server and without
// making anything.
func FindStream(storeDir, stream string) error {
	_, err := os.Stat(streamDir(storeDir, stream))
	return err
}

// streamDir is where the server keeps a stream.
func streamDir(storeDir, stream string) string {
	return filepath.Join(storeDir, "jetstream", "$G", "streams", stream)
}
