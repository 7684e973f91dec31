//go:build unix

package ledger_test

import (
	"errors"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// No file can grow beyond a limit: the server's writes fail as on a full disk. The limit is above what go test itself writes.
func TestFullDiskIsReportedAndNothingAcknowledgedIsLost(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	dir := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	changed := make(chan error, 100)
	l, err := ledger.Open(t.Context(), ledger.Options{
		Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: 60 * time.Second, Now: time.Now,
		Health: func(err error) { changed <- err }, Storage: s.Failure,
		Checkpoint: filepath.Join(dir, "checkpoint.json"), Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fill(t, l, 10)

	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	free := sync.OnceFunc(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	})
	defer free()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1_000_000, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	acknowledged := 10
	for err == nil { // an answer comes long before AckTimeout, or this test takes minutes
		d := delivery(acknowledged)
		d.Body = append(d.Body, make([]byte, 100_000)...)
		if _, err = l.Append(t.Context(), d); err == nil {
			acknowledged++
		}
	}
	if !errors.Is(err, ledger.ErrUnavailable) {
		t.Errorf("a full disk gives %v, want ErrUnavailable", err)
	}
	if err := <-changed; err == nil || !strings.Contains(err.Error(), syscall.EFBIG.Error()) {
		t.Errorf("the health is %v, want it to say %q", err, syscall.EFBIG.Error())
	}
	if _, err := l.Append(t.Context(), delivery(0)); !errors.Is(err, ledger.ErrUnavailable) || !strings.Contains(err.Error(), syscall.EFBIG.Error()) {
		t.Errorf("while it is full: %v, want ErrUnavailable with the cause", err)
	}

	free()
	for err := errors.New("not yet"); err != nil; {
		err = <-changed
	}
	if _, err := l.Append(t.Context(), delivery(acknowledged)); err != nil {
		t.Fatalf("when there is room again: %v", err)
	}
	acknowledged++
	if got := read(t, l, acknowledged); len(got) < acknowledged {
		t.Errorf("%d deliveries are there, want at least the %d that were acknowledged", len(got), acknowledged)
	}
	if l.Health() != nil {
		t.Errorf("the health is %v", l.Health())
	}
}
