//go:build unix

package natsd_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
)

// fillDisk lets no file grow beyond size bytes until free is called. It stands for a full disk: the
// write fails in the same way, with another number.
func fillDisk(t *testing.T, size uint64) (free func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	free = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(free)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return free
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}

func TestServerComesBackWhenTheDiskHasRoomAgain(t *testing.T) {
	s := natsdtest.Start(t, "")
	nc := natsdtest.Connect(t, s)
	far, err := nats.Connect("nats://"+s.Address(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	publish := func() error {
		_, err := js.Publish(t.Context(), "s", make([]byte, 100_000), jetstream.WithRetryAttempts(0))
		return err
	}
	acknowledged := uint64(0)
	for round := range 2 {
		free := fillDisk(t, natsd.MaxPayload/2)
		until(t, "the disk is never full", func() bool {
			if s.Failure() != nil {
				return true
			}
			// Not answered once it is full.
			inbox := nc.NewRespInbox()
			answers, err := nc.SubscribeSync(inbox)
			if err != nil {
				t.Fatal(err)
			}
			defer answers.Unsubscribe() //nolint:errcheck // the connection may be gone
			if err := nc.PublishRequest("s", inbox, make([]byte, 100_000)); err != nil {
				return false
			}
			if _, err := answers.NextMsg(200 * time.Millisecond); err == nil {
				acknowledged++
			}
			return false
		})
		if err := s.Failure(); !errors.Is(err, syscall.EFBIG) {
			t.Errorf("the failure is %v, want the operating system's", err)
		}
		free()
		until(t, "the failure stays", func() bool { return s.Failure() == nil })
		until(t, "nothing is stored again", func() bool { return publish() == nil })
		acknowledged++
		until(t, "a subscriber does not come back", far.IsConnected)
		stream, err := js.Stream(t.Context(), "S")
		if err != nil {
			t.Fatal(err)
		}
		// One whose acknowledgment went down with the server may be there as well.
		if got := stream.CachedInfo().State; got.Msgs < acknowledged || got.LastSeq != got.Msgs {
			t.Errorf("round %d: %d messages up to %d, want at least the %d that were acknowledged", round, got.Msgs, got.LastSeq, acknowledged)
		}
	}
}

// Subscribers are back before the new server knows their accounts; they must not end up in those of the old one.
func TestSubscribersHearOfEventsAfterTheDiskWasFull(t *testing.T) {
	s, err := natsd.Start(t.Context(), natsd.Options{StoreDir: t.TempDir(), Address: "127.0.0.1:0", Users: users(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	inside := natsdtest.Connect(t, s)
	site := fill(t, "nats://"+s.Address(), inside, users())
	var heard []*nats.Subscription
	for range 20 {
		nc, err := nats.Connect(site.url, nats.UserInfo("acme", "acme-password"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Millisecond),
			nats.ReconnectJitter(0, 0), nats.IgnoreAuthErrorAbort())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		sub, err := nc.SubscribeSync(acmePaid)
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		heard = append(heard, sub)
	}
	free := fillDisk(t, 64<<10)
	until(t, "the disk is never full", func() bool {
		_ = inside.Publish(acmeOther, make([]byte, 100_000)) // not answered once it is full
		return s.Failure() != nil
	})
	free()
	until(t, "the failure stays", func() bool { return s.Failure() == nil })
	for i, sub := range heard {
		until(t, fmt.Sprintf("subscriber %d hears nothing", i), func() bool {
			if _, err := site.js.Publish(t.Context(), acmePaid, nil, jetstream.WithRetryAttempts(0)); err != nil {
				return false
			}
			_, err := sub.NextMsg(100 * time.Millisecond)
			return err == nil
		})
	}
}
