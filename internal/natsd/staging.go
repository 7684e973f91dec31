package natsd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NATS gathers an atomic batch in files of its own, with several syncs, before it
// writes it to the stream, with one. The files matter until the batch is written or
// the server is started again, which discards those of a batch that is not
// complete. So they may as well be in memory: after a crash of the process they are
// still there, and after a power cut the stream ends with the messages of the batch
// that were written and synced, as without batches.

const (
	// memory is a file system in memory, on Linux; where there is none, batches are gathered on the disk.
	memory       = "/dev/shm"
	stagingNames = "paynorm-batches-"
)

// Stage has the atomic batches of a stream, which must exist, gathered in memory if
// there is such a place. It holds until the server is shut down, also when it starts
// again by itself.
func (s *Server) Stage(stream string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.staged, stream) {
		s.staged = append(s.staged, stream)
	}
	s.link(stream)
}

// link leads from where NATS gathers the batches of a stream to memory. NATS removes
// it when it starts. Without it things work, and are slower.
func (s *Server) link(stream string) {
	if err := s.tryLink(stream); err != nil {
		s.o.Logger.Info("batches of events are gathered on the disk, which is slower", "cause", err)
	}
}

func (s *Server) tryLink(stream string) (err error) {
	if s.staging == "" {
		if s.staging, err = os.MkdirTemp(memory, stagingNames+"*"); err != nil {
			return err
		}
	}
	at, target := s.batches(stream), filepath.Join(s.staging, stream)
	return errors.Join(os.RemoveAll(at), os.MkdirAll(target, 0o700), os.Symlink(target, at))
}

// batches is where NATS gathers the batches of a stream.
func (s *Server) batches(stream string) string { return filepath.Join(s.streams(), stream, "batches") }

func (s *Server) streams() string { return filepath.Join(s.o.StoreDir, "jetstream", "$G", "streams") }

// leftStaging returns where a process that was killed had batches gathered.
func (s *Server) leftStaging() (dirs []string) {
	streams, err := os.ReadDir(s.streams())
	if err != nil {
		return nil // there is no store yet
	}
	for _, stream := range streams {
		target, err := os.Readlink(s.batches(stream.Name()))
		if dir := filepath.Dir(target); err == nil && filepath.Dir(dir) == memory && strings.HasPrefix(filepath.Base(dir), stagingNames) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func removeStaging(dirs ...string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
