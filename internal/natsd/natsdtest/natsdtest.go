// Package natsdtest starts embedded NATS servers for tests.
package natsdtest

import (
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/paynorm/paynorm/internal/natsd"
)

// Start starts a server on store that stops with the test. An empty store is a
// new temporary folder.
func Start(t testing.TB, store string) *natsd.Server {
	t.Helper()
	if store == "" {
		store = t.TempDir()
	}
	s, err := natsd.Start(t.Context(), natsd.Options{StoreDir: store, Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// Connect returns a connection inside the process that closes with the test.
func Connect(t testing.TB, s *natsd.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}
