package view_test

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
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

// child opens a view and closes it, or fills it until it is killed.
func child(path, work string) error {
	ctx := context.Background()
	v, err := view.Open(ctx, path)
	if err != nil || work != "fill" {
		return join(err, v)
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

func join(err error, v *view.View) error {
	if err != nil {
		return err
	}
	return v.Close()
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

// SQLite finds out by locks who else uses a file, and who closes it last removes its log.
func TestSyncLeavesTheFileToSQLite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "view.db")
	v := open(t, path)
	store := func(from, to int64) {
		for c := from; c <= to; c++ {
			apply(t, v, view.Batch{Cursor: c, LedgerSequence: c, Events: []*eventv1.PaymentStatusChanged{numbered(c)}})
		}
	}
	store(1, 10)
	if err := v.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := start(t, path, "look").Run(); err != nil {
		t.Fatal(err)
	}
	store(11, 50)
	if err := v.Sync(); err != nil {
		t.Fatal(err)
	}
	// What a kill leaves is what is there by name.
	left := filepath.Join(dir, "left.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, err := open(t, left).Position(t.Context())
	if want := (view.Position{LedgerSequence: 50, Cursor: 50}); err != nil || at != want {
		t.Errorf("after a kill the view is at %v (%v), want %v", at, err, want)
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
