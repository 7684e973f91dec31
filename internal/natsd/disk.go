package natsd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// diskInterval is how often a disk that was full is tried again.
	diskInterval = time.Second
	// restartTimeout is how long the server may take to come up again; there is another try after it.
	restartTimeout = 10 * time.Minute
)

// Failure says why the server cannot write to its disk, nil when it can.
func (s *Server) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

func (s *Server) setFailure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
}

// watchDisk brings the server back after a failed write. After one, JetStream
// refuses all writes to the stream, in silence and until its store is opened anew,
// because it does not know what of the message is on disk.
func (s *Server) watchDisk(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-s.log.broken:
			s.setFailure(fmt.Errorf("the embedded NATS server cannot write to its disk: %w", cause(err)))
			s.o.Logger.Error("the embedded NATS server cannot write to its disk", "store", s.o.StoreDir, "cause", err)
		}
		for s.Failure() != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(diskInterval):
			}
			if err := probe(s.o.StoreDir); err != nil {
				continue
			}
			if err := s.restart(ctx); err != nil {
				s.o.Logger.Error("the embedded NATS server does not start again", "cause", err)
				continue
			}
			s.setFailure(nil)
			s.o.Logger.Info("the embedded NATS server writes to its disk again", "store", s.o.StoreDir)
		}
	}
}

// restart opens the store anew. Connections are lost; clients connect again to the same address.
func (s *Server) restart(ctx context.Context) error {
	old := s.running()
	old.Shutdown()
	old.WaitForShutdown()
	select { // what it said on the way down is about the store that is closed
	case err := <-s.log.broken:
		s.o.Logger.Debug("the embedded NATS server stops", "cause", err)
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	return s.start(ctx)
}

// cause takes the file's name off an error of the operating system.
func cause(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

// probe finds out whether the largest message would fit onto the disk.
func probe(dir string) error {
	name := filepath.Join(dir, "space.probe")
	defer os.Remove(name) //nolint:errcheck // the next probe writes it anew
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, MaxPayload)); err != nil {
		return err
	}
	return f.Sync()
}
