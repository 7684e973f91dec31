package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// clock is set by a test and read by the ledger's writer.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.seconds.Store(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Unix())
	return c
}

func (c *clock) now() time.Time { return time.Unix(c.seconds.Load(), 0) }

// clocked opens a ledger in dir whose time is that of now.
func clocked(t *testing.T, s *natsd.Server, dir string, now *clock) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{
		Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: 5 * time.Second, Now: now.now,
		Health: func(error) {}, Checkpoint: filepath.Join(dir, "checkpoint.json"), Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func first(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	n, err := l.First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hourly appends n deliveries, one an hour.
func hourly(t *testing.T, l *ledger.Ledger, now *clock, n int) {
	t.Helper()
	for i := range n {
		d := delivery(i)
		d.Body = make([]byte, 10_000)
		if _, err := l.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		now.seconds.Add(3600)
	}
}

func TestTrimKeepsWhatItMust(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		keep      ledger.Keep
		projected int64
		first     int64 // that is left of ten commits, made 10 h to 1 h ago
	}{
		"no bound":                      {ledger.Keep{}, 10, 1},
		"nothing is old":                {ledger.Keep{MaxAge: day}, 10, 1},
		"some are old":                  {ledger.Keep{MaxAge: 5*time.Hour + time.Minute}, 10, 6},
		"all are old":                   {ledger.Keep{MaxAge: time.Minute}, 10, 10},
		"old but not projected":         {ledger.Keep{MaxAge: time.Minute}, 3, 4},
		"nothing projected":             {ledger.Keep{MaxAge: time.Minute}, 0, 1},
		"small enough":                  {ledger.Keep{MaxBytes: 200_000}, 10, 1},
		"too large":                     {ledger.Keep{MaxBytes: 55_000}, 10, 6},
		"much too large":                {ledger.Keep{MaxBytes: 1}, 10, 10},
		"too large and not projected":   {ledger.Keep{MaxBytes: 1}, 2, 3},
		"size comes before age":         {ledger.Keep{MaxAge: 8*time.Hour + time.Minute, MaxBytes: 55_000}, 10, 6},
		"age comes before size":         {ledger.Keep{MaxAge: 2*time.Hour + time.Minute, MaxBytes: 55_000}, 10, 9},
		"projected beyond the last one": {ledger.Keep{MaxAge: time.Minute}, 99, 10},
		"bounds that were met long ago": {ledger.Keep{MaxAge: 100 * day, MaxBytes: 1 << 40}, 10, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, now := natsdtest.Start(t, ""), newClock()
			l := clocked(t, s, t.TempDir(), now)
			hourly(t, l, now, 10)
			n, err := l.Trim(t.Context(), tt.keep, tt.projected)
			if err != nil {
				t.Fatal(err)
			}
			if got := first(t, l); got != tt.first || n != tt.first-1 {
				t.Errorf("trimmed %d, the first is %d; want %d and %d", n, got, tt.first-1, tt.first)
			}
		})
	}
}

func TestTrimmedLedgerGoesOn(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l := clocked(t, s, dir, now)
	hourly(t, l, now, 10)
	behind, err := l.ReadAfter(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	if _, err := l.Trim(t.Context(), ledger.Keep{MaxAge: 4*time.Hour + time.Minute}, 10); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as it is, and after a restart
		if got := read(t, l, int(l.Last()-6)); int64(len(got)) != l.Last()-6 {
			t.Errorf("%d deliveries are left, want %d", len(got), l.Last()-6)
		}
		if _, err := l.Get(t.Context(), 6); !errors.Is(err, ledger.ErrNotKept) {
			t.Errorf("get what was trimmed: %v, want ErrNotKept", err)
		}
		if _, err := l.ReadAfter(t.Context(), 3); !errors.Is(err, ledger.ErrNotKept) {
			t.Errorf("read after what was trimmed: %v, want ErrNotKept", err)
		}
		hourly(t, l, now, 1)
		l.Close()
		s.Shutdown()
		s = natsdtest.Start(t, filepath.Join(dir, "nats"))
		l = clocked(t, s, dir, now)
	}
}

// A projector begins to read while what it has projected is being trimmed.
func TestReadingBeginsWhereTheLedgerIsBeingTrimmed(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 61)
	for after := int64(1); after <= 60; after++ {
		trimmed := make(chan error, 1)
		go func() {
			_, err := l.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, after)
			trimmed <- err
		}()
		for range 8 {
			r, err := l.ReadAfter(t.Context(), after)
			if err != nil {
				t.Fatalf("after %d: %v", after, err)
			}
			r.Close()
		}
		if err := <-trimmed; err != nil {
			t.Fatal(err)
		}
	}
}

// The checkpoint goes first; a crash between it and the purge leaves this.
func TestTrimmingThatWasCutShortIsEnded(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l := clocked(t, s, dir, now)
	hourly(t, l, now, 10)
	l.Close()
	s.Shutdown()
	before := t.TempDir()
	if err := os.CopyFS(before, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s = natsdtest.Start(t, filepath.Join(dir, "nats"))
	l = clocked(t, s, dir, now)
	if _, err := l.Trim(t.Context(), ledger.Keep{MaxAge: 4*time.Hour + time.Minute}, 10); err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.Shutdown()
	after, err := os.ReadFile(filepath.Join(dir, "checkpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(before, "checkpoint.json"), after, 0o600); err != nil {
		t.Fatal(err)
	}
	l = clocked(t, natsdtest.Start(t, filepath.Join(before, "nats")), before, now)
	if got := first(t, l); got != 7 {
		t.Errorf("the first commit is %d, want 7", got)
	}
}

func TestLossAtTheBeginIsToldFromTrimming(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l := clocked(t, s, dir, now)
	hourly(t, l, now, 10)
	if _, err := l.Trim(t.Context(), ledger.Keep{MaxAge: 6*time.Hour + time.Minute}, 10); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(dir, "checkpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Trim(t.Context(), ledger.Keep{MaxAge: 2*time.Hour + time.Minute}, 10); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.WriteFile(filepath.Join(dir, "checkpoint.json"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = openIn(t, s, dir, nil)
	if !errors.Is(err, ledger.ErrDamaged) || !strings.Contains(err.Error(), "commits 5 to 8 are missing at its begin") {
		t.Errorf("got %v, want ErrDamaged that names commits 5 to 8", err)
	}
}

// The first versions made the stream so that it cannot be purged, and NATS does not take that back.
func TestStreamThatCannotBePurgedIsOpenedAndNotTrimmed(t *testing.T) {
	s := natsdtest.Start(t, "")
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: ledger.Stream, Subjects: []string{"paynorm.ledger.v1.>"}, Discard: jetstream.DiscardNew, DenyDelete: true, DenyPurge: true, AllowDirect: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, s)
	fill(t, l, 3)
	if n, err := l.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, 3); err == nil || n != 0 {
		t.Errorf("trimmed %d commits, %v; want an error", n, err)
	}
	if got := read(t, l, 3); len(got) != 3 {
		t.Errorf("%d deliveries", len(got))
	}
}
