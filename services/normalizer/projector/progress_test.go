package projector

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/internal/logtest"
)

func TestLongWorkTellsHowFarItIs(t *testing.T) {
	type step struct {
		took time.Duration // since the one before
		done int
	}
	for _, c := range []struct {
		claim string
		total int64
		steps []step
		want  []string
	}{
		{"short work is not mentioned", 1000, []step{{time.Second, 400}, {3900 * time.Millisecond, 600}}, nil},
		{"work is told of every 5 s", 1000, []step{
			{2 * time.Second, 100}, {3 * time.Second, 150}, {4 * time.Second, 100}, {time.Second, 50}, {4 * time.Second, 600},
		}, []string{
			"projecting the ledger commits=250 of=1000 percent=25.0 per_second=50 remaining=15s",
			"projecting the ledger commits=400 of=1000 percent=40.0 per_second=40 remaining=15s",
		}},
		{"percent has one decimal, and what remains is whole seconds", 3, []step{{7 * time.Second, 1}, {7 * time.Second, 1}}, []string{
			"projecting the ledger commits=1 of=3 percent=33.3 per_second=0 remaining=14s",
			"projecting the ledger commits=2 of=3 percent=66.7 per_second=0 remaining=7s",
		}},
		{"the rate is that since the beginning", 10_000, []step{{5 * time.Second, 5000}, {15 * time.Second, 1000}}, []string{
			"projecting the ledger commits=5000 of=10000 percent=50.0 per_second=1000 remaining=5s",
			"projecting the ledger commits=6000 of=10000 percent=60.0 per_second=300 remaining=13s",
		}},
		{"what arrives meanwhile is no work, and then nothing is told", 100, []step{{6 * time.Second, 150}, {6 * time.Second, 50}}, []string{
			"projecting the ledger commits=150 of=100 percent=100.0 per_second=25 remaining=0s",
		}},
		{"no work is not mentioned", 0, []step{{time.Minute, 1}}, nil},
	} {
		t.Run(c.claim, func(t *testing.T) {
			now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
			var log logtest.Buffer
			p := newProgress(Options{Now: func() time.Time { return now }, Logger: messagesOnly(&log)}, "projecting the ledger", "commits", c.total)
			for _, s := range c.steps {
				now = now.Add(s.took)
				p.add(s.done)
			}
			var got []string
			for line := range strings.Lines(log.String()) {
				got = append(got, told(line))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// messagesOnly logs what is said, without when and how loud.
func messagesOnly(to *logtest.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// told returns a line of the log as it is read: the message and what belongs to it.
func told(line string) string {
	message, rest, _ := strings.Cut(strings.TrimPrefix(line, `msg="`), `"`)
	return message + strings.TrimRight(rest, "\n")
}
