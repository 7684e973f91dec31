package view_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"syscall"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// These variables make this program another process that works on a view: the first
// names its file, the second says what to do.
const childFile, childWork = "PAYNORM_TEST_VIEW", "PAYNORM_TEST_WORK"

func TestMain(m *testing.M) {
	path := os.Getenv(childFile)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := child(path, os.Getenv(childWork)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child says whether anybody holds SQLite's lock of a view, or fills one until it is killed.
func child(path, work string) error {
	ctx := context.Background()
	if work != "fill" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		const shared, size = 0x40000002, 510 // where SQLite locks a file that it uses
		lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: shared, Len: size}
		if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
			return err
		}
		if lock.Type == syscall.F_UNLCK {
			return errors.New("nobody holds the lock")
		}
		return f.Close()
	}
	v, err := view.Open(ctx, path)
	if err != nil {
		return err
	}
	if err := v.BeginFill(ctx); err != nil {
		return err
	}
	for cursor := int64(0); ; {
		var b view.Batch
		for range 4000 {
			cursor++
			b.Events = append(b.Events, numbered(cursor))
		}
		b.Cursor = cursor
		if err := v.Apply(ctx, b); err != nil {
			return err
		}
		fmt.Println(cursor)
	}
}

func numbered(cursor int64) *eventv1.PaymentStatusChanged {
	return &eventv1.PaymentStatusChanged{
		Name: fmt.Sprint("events/e", cursor), Cursor: cursor, Payment: fmt.Sprint("payments/p", cursor*7919%1_000_003), ProviderPaymentId: fmt.Sprint(cursor),
		Delivery: fmt.Sprintf("deliveries/d%d-0", cursor), LedgerPosition: &eventv1.LedgerPosition{Sequence: cursor},
	}
}

func start(t *testing.T, path, work string) *osexec.Cmd {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+path, childWork+"="+work)
	cmd.Stderr = os.Stderr
	return cmd
}

// SQLite finds out by a lock who else uses a file, and who is alone may remove its log.
func TestSyncLeavesSQLiteItsLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "view.db")
	v := open(t, path)
	for c := int64(1); c <= 10; c++ {
		apply(t, v, view.Batch{Cursor: c, LedgerSequence: c, Events: []*eventv1.PaymentStatusChanged{numbered(c)}})
		if err := v.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if err := start(t, path, "look").Run(); err != nil {
		t.Error(err)
	}
}

func TestFillingThatWasKilledStartsOver(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "view.db")
		cmd := start(t, path, "fill")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var stored int64
		for stored < 20_000 {
			if _, err := fmt.Fscan(out, &stored); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		at, err := open(t, path).Position(t.Context())
		if err != nil || at != (view.Position{}) {
			t.Errorf("after %d events: the view is at %v (%v), want it empty", stored, at, err)
		}
	}
}
