package natsd

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// NATS gathers an atomic batch in files of its own, with several syncs, before it
// writes it to the stream, with one. At a start it completes a batch that was being
// written, if its files are there, and removes the rest. They may as well be in
// memory: at worst, after a power cut, the stream ends with the messages of a batch
// that were written and synced, as if they had been published one by one.

const (
	// memory is a file system in memory, on Linux; where there is none, batches are gathered on the disk.
	memory = "/dev/shm"
	// stagingPrefix begins the names of the folders there, each of which is locked by
	// who uses it. newPrefix begins that of one that is not locked yet.
	stagingPrefix = "paynorm-batches-"
	newPrefix     = ".paynorm-new-"
)

// staging is a folder in memory.
type staging struct {
	dir  string
	lock *os.File
}

func newStaging() (*staging, error) {
	removeStaging()
	dir := filepath.Join(memory, newPrefix+rand.Text())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := tryLock(dir)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	s := &staging{dir: filepath.Join(memory, stagingPrefix+rand.Text()), lock: lock}
	if err := os.Rename(dir, s.dir); err != nil {
		return nil, errors.Join(err, os.Remove(dir), lock.Close())
	}
	return s, nil
}

func (s *staging) remove() { _ = errors.Join(os.RemoveAll(s.dir), s.lock.Close()) } // else the next start does

// removeStaging removes what processes have left that were killed: nobody holds the locks.
func removeStaging() {
	left, _ := filepath.Glob(filepath.Join(memory, stagingPrefix+"*")) // the pattern is right
	for _, dir := range left {
		if lock, err := tryLock(dir); err == nil {
			(&staging{dir, lock}).remove()
		}
	}
}

func tryLock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

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
	if s.staging == nil {
		if s.staging, err = newStaging(); err != nil {
			return err
		}
	}
	at := filepath.Join(streamDir(s.o.StoreDir, stream), "batches")
	target := filepath.Join(s.staging.dir, stream)
	return errors.Join(os.RemoveAll(at), os.MkdirAll(target, 0o700), os.Symlink(target, at))
}
