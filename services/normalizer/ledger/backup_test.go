package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/archive"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

func backup(t *testing.T, l *ledger.Ledger) ([]byte, ledger.Summary) {
	t.Helper()
	var b bytes.Buffer
	s, err := l.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s
}

func restore(t *testing.T, s *natsd.Server, dir string, data []byte) (ledger.Summary, error) {
	t.Helper()
	return ledger.Restore(t.Context(), ledger.Options{
		Conn: natsdtest.Connect(t, s), Replicas: 1, AckTimeout: 5 * time.Second, Now: time.Now,
		Checkpoint: filepath.Join(dir, "checkpoint.json"), Logger: quiet,
	}, bytes.NewReader(data))
}

// message returns a commit as the server has it.
func message(t *testing.T, s *natsd.Server, ordinal int64) []byte {
	t.Helper()
	js, err := jetstream.New(natsdtest.Connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), ledger.Stream)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetMsg(t.Context(), uint64(ordinal))
	if err != nil {
		t.Fatal(err)
	}
	return msg.Data
}

func TestRestoredLedgerIsTheSameByteForByteAndGoesOn(t *testing.T) {
	for name, trim := range map[string]int64{"whole": 0, "trimmed": 20} {
		t.Run(name, func(t *testing.T) {
			old := natsdtest.Start(t, "")
			l := open(t, old)
			fill(t, l, 50)
			if trim > 0 {
				if _, err := l.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, trim); err != nil {
					t.Fatal(err)
				}
			}
			ctx, stop := context.WithCancel(t.Context())
			var sender sync.WaitGroup
			sender.Go(func() { // deliveries come in meanwhile
				for i := 0; ctx.Err() == nil; i++ {
					_, _ = l.Append(ctx, delivery(i)) // one that is cut short by stop may fail
				}
			})
			data, made := backup(t, l)
			stop()
			sender.Wait()
			if made.First != trim+1 || made.Last < 50 || made.Commits() != made.Last-trim {
				t.Errorf("the backup has %d commits from %d to %d", made.Commits(), made.First, made.Last)
			}

			dir := t.TempDir()
			s := natsdtest.Start(t, filepath.Join(dir, "nats"))
			restored, err := restore(t, s, dir, data)
			if err != nil {
				t.Fatal(err)
			}
			if restored != made {
				t.Errorf("restored %+v, want %+v", restored, made)
			}
			for at := made.First; at <= made.Last; at++ {
				if !bytes.Equal(message(t, s, at), message(t, old, at)) {
					t.Errorf("commit %d differs", at)
				}
			}
			again, err := openIn(t, s, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			place, err := again.Append(t.Context(), delivery(1))
			if err != nil || place.Sequence != made.Last+1 {
				t.Errorf("append: %v, %v; want commit %d", place, err, made.Last+1)
			}
			if got := read(t, again, int(made.Commits())+1); len(got) < int(made.Commits())+1 {
				t.Errorf("%d deliveries, want %d", len(got), made.Commits()+1)
			}
		})
	}
}

func TestRestoreRefusesWhatIsNotABackupAndLeavesNothing(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 5)
	data, _ := backup(t, l)
	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 1
	dir := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	for name, bad := range map[string][]byte{"cut": data[:len(data)-50], "cut in the middle": data[:len(data)/2], "flipped": flipped, "other": []byte("something else"), "empty": nil} {
		if _, err := restore(t, s, dir, bad); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := restore(t, s, dir, data); err != nil {
		t.Errorf("the whole one after the bad ones: %v", err)
	}
	if _, err := restore(t, s, dir, data); !errors.Is(err, ledger.ErrNotEmpty) {
		t.Errorf("a second time: got %v, want ErrNotEmpty", err)
	}
}

func TestNothingIsTrimmedDuringABackup(t *testing.T) {
	l := open(t, natsdtest.Start(t, ""))
	fill(t, l, 5)
	var trimmed int64
	var failed error
	w := writerFunc(func(p []byte) (int, error) {
		n, err := l.Trim(t.Context(), ledger.Keep{MaxBytes: 1}, 5)
		trimmed, failed = trimmed+n, errors.Join(failed, err)
		return len(p), nil
	})
	if s, err := l.Backup(t.Context(), w); err != nil || s.Commits() != 5 {
		t.Errorf("%d commits (%v), want 5", s.Commits(), err)
	}
	if trimmed > 0 || failed != nil {
		t.Errorf("%d commits were trimmed meanwhile (%v)", trimmed, failed)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
