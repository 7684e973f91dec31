// Package natsd runs the embedded NATS server with JetStream.
package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// MaxPayload is the largest message in bytes: a commit with the largest webhook
// body there can be, its plaintext and its headers fits.
const MaxPayload = 8 << 20

// Options says how the embedded server runs.
type Options struct {
	StoreDir string // created when absent
	Address  string // host:port for subscribers; port 0 takes a free one
	Logger   *slog.Logger
}

// Server is a running embedded server.
type Server struct {
	nats *server.Server
	log  *logger
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
	log := &logger{slog: o.Logger, fatal: make(chan string, 1)}
	s, err := server.NewServer(&server.Options{
		ServerName: "paynorm", Host: host, Port: port,
		JetStream: true, StoreDir: o.StoreDir, SyncAlways: true,
		MaxPayload: MaxPayload, NoSigs: true, DisableJetStreamBanner: true,
		// One projector and one ledger publish at a time; the default of 4096 pending batches is not needed.
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: 1000},
	})
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	s.SetLoggerV2(log, false, false, false)
	started := make(chan struct{})
	go func() {
		s.Start()
		close(started)
	}()
	embedded := &Server{nats: s, log: log}
	for {
		select {
		case <-started:
			if !s.ReadyForConnections(5 * time.Second) {
				return nil, embedded.failed(errors.New("does not accept connections"))
			}
			if !s.JetStreamEnabled() {
				return nil, embedded.failed(errors.New("JetStream is off"))
			}
			return embedded, nil
		case reason := <-log.fatal:
			return nil, embedded.failed(errors.New(reason))
		case <-ctx.Done():
			return nil, embedded.failed(ctx.Err())
		case <-time.After(5 * time.Second):
			o.Logger.Info("the embedded NATS server is still recovering its store", "store", o.StoreDir)
		}
	}
}

func (s *Server) failed(err error) error {
	s.nats.Shutdown()
	select {
	case reason := <-s.log.fatal:
		err = errors.New(reason)
	default:
	}
	return fmt.Errorf("embedded NATS: %w", err)
}

// Connect returns a connection inside the process. It never buffers: what it
// refuses was not stored.
func (s *Server) Connect() (*nats.Conn, error) {
	return nats.Connect("", nats.InProcessServer(s.nats), nats.Name("paynorm"), nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
}

// Address returns where subscribers connect, as host:port.
func (s *Server) Address() string { return s.nats.Addr().String() }

// Shutdown stops the server and returns once its store is closed.
func (s *Server) Shutdown() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// logger brings the server's log lines to slog. Fatalf is how JetStream reports
// that it cannot start.
type logger struct {
	slog  *slog.Logger
	fatal chan string
	once  sync.Once
}

func (l *logger) Noticef(format string, v ...any) {
	l.slog.Debug(fmt.Sprintf(format, v...), "part", "nats")
}
func (l *logger) Warnf(format string, v ...any) {
	l.slog.Warn(fmt.Sprintf(format, v...), "part", "nats")
}
func (l *logger) Errorf(format string, v ...any) {
	l.slog.Error(fmt.Sprintf(format, v...), "part", "nats")
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}

func (l *logger) Fatalf(format string, v ...any) {
	l.once.Do(func() { l.fatal <- fmt.Sprintf(format, v...) })
}
