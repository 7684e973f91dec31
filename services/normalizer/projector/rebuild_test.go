package projector_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/watch"
)

func TestRebuildingTellsHowFarItIs(t *testing.T) {
	for _, c := range []struct {
		claim                string
		viewGone, eventsGone bool
		step                 time.Duration // between two looks at the clock
		want                 func(events, commits int) string
	}{
		{claim: "of the view from the events", viewGone: true, step: 5 * time.Second, want: func(events, _ int) string {
			return fmt.Sprintf(`msg="the view is catching up with the events" events=%[1]d of=%[1]d percent=100.0 per_second=%[2]d remaining=0s`, events, events/5)
		}},
		{claim: "of the events from the view", eventsGone: true, step: 5 * time.Second, want: func(events, _ int) string {
			return fmt.Sprintf(`msg="publishing again" events=%[1]d of=%[1]d percent=100.0 per_second=%[2]d remaining=0s`, events, events/5)
		}},
		{claim: "of both from the ledger", viewGone: true, eventsGone: true, step: 5 * time.Second, want: func(_, commits int) string {
			return fmt.Sprintf(`msg="projecting the ledger" commits=%[1]d of=%[1]d percent=100.0 `, commits)
		}},
		{claim: "not when it takes less than 5 s", viewGone: true, eventsGone: true, step: time.Microsecond},
	} {
		t.Run(c.claim, func(t *testing.T) {
			server, file, published := site(t)
			if c.viewGone {
				file = filepath.Join(t.TempDir(), "view.db")
			}
			if c.eventsGone {
				if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
					t.Fatal(err)
				}
			}
			p := prepare(t, server, file, words{})
			defer p.end(t)
			var looks atomic.Int64
			var log logtest.Buffer
			again := projector.New(projector.Options{
				Ledger: p.ledger, Normalizer: normalize.New([]provider.Adapter{words{}}), Events: p.events, View: p.view,
				Observer: unobserved{}, Watchers: watch.NewHub(p.view), Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Now: func() time.Time { return time.Unix(0, 0).Add(time.Duration(looks.Add(1)) * c.step) },
			})
			if err := again.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			switch text := log.String(); {
			case c.want == nil && strings.Contains(text, "percent="):
				t.Errorf("the log tells of progress:\n%s", text)
			case c.want != nil && !strings.Contains(text, c.want(len(published), int(p.ledger.Last()))):
				t.Errorf("the log has not %q:\n%s", c.want(len(published), int(p.ledger.Last())), text)
			}
		})
	}
}
