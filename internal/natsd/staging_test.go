package natsd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
)

// batched is a server on dir with a stream that takes batches, which are gathered in memory.
func batched(t *testing.T, dir string) (*natsd.Server, *nats.Conn, jetstream.Stream) {
	t.Helper()
	s, err := natsd.Start(t.Context(), natsd.Options{StoreDir: dir, Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	nc := natsdtest.Connect(t, s)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "BATCHES", Subjects: []string{"b"}, AllowAtomicPublish: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Stage("BATCHES")
	return s, nc, stream
}

// send publishes the messages of a batch from one number up to another, the last of which ends it when commit is set.
func send(t *testing.T, nc *nats.Conn, id string, from, to int, commit bool) {
	t.Helper()
	for i := from; i <= to; i++ {
		m := nats.NewMsg("b")
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", fmt.Sprint(i))
		if commit && i == to {
			m.Header.Set("Nats-Batch-Commit", "1")
		}
		answer, err := nc.RequestMsgWithContext(t.Context(), m)
		if err != nil || strings.Contains(string(answer.Data), "error") {
			t.Fatalf("message %d: %s, %v", i, answer.Data, err)
		}
	}
}

func length(t *testing.T, s jetstream.Stream) int {
	t.Helper()
	info, err := s.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(info.State.Msgs)
}

// staging is where the batches of the stream are gathered: what the link leads to,
// where there is a file system in memory.
func staging(t *testing.T, dir string) string {
	t.Helper()
	link := filepath.Join(dir, "jetstream", "$G", "streams", "BATCHES", "batches")
	if _, err := os.Stat("/dev/shm"); err != nil {
		return link
	}
	target, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestBatchesAreGatheredInMemory(t *testing.T) {
	dir := t.TempDir()
	s, nc, stream := batched(t, dir)
	in := staging(t, dir)
	send(t, nc, "first", 1, 5, false)
	gathered, err := os.ReadDir(in)
	if err != nil || len(gathered) != 1 {
		t.Errorf("%s holds %d folders (%v), want that of the batch", in, len(gathered), err)
	}
	send(t, nc, "first", 6, 10, true)
	if n := length(t, stream); n != 10 {
		t.Errorf("%d messages, want 10", n)
	}
	if gathered, err := os.ReadDir(in); err != nil || len(gathered) != 0 {
		t.Errorf("%s still holds %d folders (%v)", in, len(gathered), err)
	}
	s.Shutdown()
	if left, err := os.ReadDir(in); err == nil && len(left) > 0 || strings.HasPrefix(in, "/dev/shm/") && !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", in, err)
	}
}

// A kill leaves the link, and the folder in memory without a lock. A batch that was not
// complete is gone after a start, and the next one is complete.
func TestServerStartsAfterAKillWithItsBatches(t *testing.T) {
	for _, powerCut := range []bool{false, true} {
		dir := t.TempDir()
		s, nc, stream := batched(t, dir)
		send(t, nc, "whole", 1, 3, true)
		send(t, nc, "half", 1, 3, false)
		if n := length(t, stream); n != 3 {
			t.Errorf("%d messages, want 3", n)
		}
		in := staging(t, dir)
		s.Shutdown()
		if !powerCut {
			if err := os.MkdirAll(filepath.Join(in, "half"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		_, nc, stream = batched(t, dir)
		send(t, nc, "next", 1, 3, true)
		if n := length(t, stream); n != 6 {
			t.Errorf("after a power cut %t: %d messages, want 6", powerCut, n)
		}
		if now := staging(t, dir); strings.HasPrefix(in, "/dev/shm/") && now == in {
			t.Errorf("batches are gathered in %s again", in)
		}
		if _, err := os.Stat(in); strings.HasPrefix(in, "/dev/shm/") && !os.IsNotExist(err) {
			t.Errorf("after a power cut %t: %s is still in use: %v", powerCut, in, err)
		}
	}
}

// Two servers on one machine leave each other's folder alone.
func TestServersDoNotShareMemory(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	_, first, stream := batched(t, one)
	_, second, other := batched(t, two)
	for _, nc := range []*nats.Conn{first, second, first} {
		send(t, nc, nats.NewInbox(), 1, 5, true)
	}
	if n, m := length(t, stream), length(t, other); n != 10 || m != 5 {
		t.Errorf("%d and %d messages, want 10 and 5", n, m)
	}
	if staging(t, one) == staging(t, two) {
		t.Errorf("both gather in %s", staging(t, one))
	}
}

func TestStreamIsFoundInItsStore(t *testing.T) {
	dir := t.TempDir()
	if err := natsd.FindStream(dir, "BATCHES"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before it is made: %v", err)
	}
	batched(t, dir)
	if err := natsd.FindStream(dir, "BATCHES"); err != nil {
		t.Error(err)
	}
}
