package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/proto"
)

// blocks returns the block files of the ledger's stream in the order of their messages.
func blocks(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "nats", "jetstream", "*", "streams", ledger.Stream, "msgs", "*.blk"))
	if err != nil || len(found) < 3 {
		t.Fatalf("%d block files, want at least 3 (%v)", len(found), err)
	}
	return found // 1.blk to 9.blk
}

func flip(t *testing.T, file string, at func(size int) int) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[at(len(data))] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, file string, by int64) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()-by); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, pattern ...string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) == 0 {
		t.Fatalf("nothing to remove (%v)", err)
	}
	for _, f := range found {
		if err := os.RemoveAll(f); err != nil {
			t.Fatal(err)
		}
	}
}

// JetStream comes up with what it can read and says nothing of the rest.
func TestDamagedStoreIsWholeOrReported(t *testing.T) {
	original := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(original, "nats"))
	l, err := openIn(t, s, original, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []*ledgerv1.Delivery
	for i := range 5 {
		d := delivery(i)
		d.Body = append(d.Body, make([]byte, 3<<20)...)
		if _, err := l.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		want = append(want, d)
	}
	for i := range 20 {
		if _, err := l.Append(t.Context(), delivery(100+i)); err != nil {
			t.Fatal(err)
		}
		want = append(want, delivery(100+i))
	}
	l.Close()
	s.Shutdown()
	streams := []string{"nats", "jetstream", "*", "streams"}
	join := func(dir string, more ...string) []string { return append(append([]string{dir}, streams...), more...) }
	tests := map[string]struct {
		damage func(t *testing.T, dir string)
		intact bool // must come up whole
	}{
		"no damage": {damage: func(*testing.T, string) {}, intact: true},
		"last message torn": {damage: func(t *testing.T, dir string) {
			b := blocks(t, dir)
			cut(t, b[len(b)-1], 10)
		}},
		"last ten messages cut off": {damage: func(t *testing.T, dir string) {
			b := blocks(t, dir)
			cut(t, b[len(b)-1], 1500)
		}},
		"byte flipped at the begin": {damage: func(t *testing.T, dir string) { flip(t, blocks(t, dir)[0], func(int) int { return 3 }) }},
		"byte flipped in the first block": {damage: func(t *testing.T, dir string) {
			flip(t, blocks(t, dir)[0], func(size int) int { return size / 2 })
		}},
		"byte flipped in a middle block": {damage: func(t *testing.T, dir string) {
			flip(t, blocks(t, dir)[1], func(size int) int { return size / 3 })
		}},
		"byte flipped at the end": {damage: func(t *testing.T, dir string) {
			b := blocks(t, dir)
			flip(t, b[len(b)-1], func(size int) int { return size - 1 })
		}},
		"first block removed":  {damage: func(t *testing.T, dir string) { remove(t, blocks(t, dir)[0]) }},
		"middle block removed": {damage: func(t *testing.T, dir string) { remove(t, blocks(t, dir)[1]) }},
		"last block removed": {damage: func(t *testing.T, dir string) {
			b := blocks(t, dir)
			remove(t, b[len(b)-1])
		}},
		"last block empty": {damage: func(t *testing.T, dir string) {
			b := blocks(t, dir)
			if err := os.Truncate(b[len(b)-1], 0); err != nil {
				t.Fatal(err)
			}
		}},
		"all blocks removed": {damage: func(t *testing.T, dir string) { remove(t, join(dir, ledger.Stream, "msgs", "*.blk")...) }},
		"messages removed":   {damage: func(t *testing.T, dir string) { remove(t, join(dir, ledger.Stream, "msgs")...) }},
		"stream removed":     {damage: func(t *testing.T, dir string) { remove(t, join(dir, ledger.Stream)...) }},
		"stream's description removed": {damage: func(t *testing.T, dir string) {
			remove(t, join(dir, ledger.Stream, "meta.inf")...)
		}},
		"store removed": {damage: func(t *testing.T, dir string) { remove(t, dir, "nats") }},
		"checkpoint unreadable": {damage: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "checkpoint.json"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		"checkpoint removed": {damage: func(t *testing.T, dir string) { remove(t, dir, "checkpoint.json") }, intact: true},
	}
	for name, tt := range tests {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, index lost %t", name, crash), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
					t.Fatal(err)
				}
				if crash {
					remove(t, join(dir, ledger.Stream, "msgs", "index.db")...)
				}
				tt.damage(t, dir)
				err := readAll(t, dir, want)
				t.Logf("%v", err)
				if tt.intact && err != nil {
					t.Fatal(err)
				}
				if err != nil && (!errors.Is(err, ledger.ErrDamaged) || !strings.Contains(err.Error(), "restore a backup")) {
					t.Errorf("got %v, want an ErrDamaged that says what to do", err)
				}
			})
		}
	}
}

// readAll opens the ledger in dir, reads everything and returns the first error. What it
// reads without one must be want.
func readAll(t *testing.T, dir string, want []*ledgerv1.Delivery) error {
	t.Helper()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l, err := openIn(t, s, dir, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.ReadAfter(t.Context(), 0)
	if err != nil {
		return err
	}
	defer r.Close()
	var got []*ledgerv1.Delivery
	for len(got) < len(want) {
		commits, err := r.Next(t.Context(), 100)
		if err != nil {
			return err
		}
		for _, c := range commits {
			got = append(got, c.GetDeliveries()...)
		}
	}
	for i, d := range want {
		if !proto.Equal(got[i], d) {
			t.Errorf("delivery %d has changed", i)
		}
	}
	return nil
}

// Without a checkpoint the number of the oldest commit is the only witness of what was before it.
func TestALedgerWithoutItsBeginIsDamagedUnlessItWasTrimmed(t *testing.T) {
	dir := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l, err := openIn(t, s, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, 5)
	if n, err := l.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, 3); err != nil || n != 3 {
		t.Fatalf("%d commits were trimmed (%v), want 3", n, err)
	}
	l.Close()
	if l, err = openIn(t, s, dir, nil); err != nil {
		t.Fatalf("with its checkpoint: %v", err)
	}
	l.Close()
	remove(t, dir, "checkpoint.json")
	for _, trimmed := range []bool{false, true} {
		l, err := ledger.Open(t.Context(), ledger.Options{
			Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: ackTimeout, Now: time.Now, Health: func(error) {},
			Checkpoint: filepath.Join(dir, "checkpoint.json"), Trimmed: trimmed, Logger: quiet,
		})
		if err == nil {
			l.Close()
		}
		if errors.Is(err, ledger.ErrDamaged) == trimmed || trimmed && err != nil {
			t.Errorf("with a retention %t: %v", trimmed, err)
		}
	}
}

// After a clean stop the newest commit was durable; a start must not forget that.
func TestAStartDoesNotForgetHowFarTheLedgerWasDurable(t *testing.T) {
	dir := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l, err := openIn(t, s, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, 3)
	l.Close()
	before, err := os.ReadFile(filepath.Join(dir, "checkpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = openIn(t, s, dir, nil); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "checkpoint.json"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the checkpoint says %s (%v), want %s as before the start", after, err, before)
	}
}
