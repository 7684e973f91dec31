package projector

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/services/normalizer/view"
)

// Payments go on from one transaction to the next, also some that were not kept back for so long, and some begin in each.
func TestViewFromEventsIsAsOneThatGrew(t *testing.T) {
	const total, early, atOnce, keep = 5000, 1000, 1000, 300
	open := func(name string) *view.View {
		v, err := view.Open(t.Context(), filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
		return v
	}
	grown, filled, behind := open("grown.db"), open("filled.db"), open("behind.db")
	apply := func(v *view.View, b view.Batch) {
		if err := v.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	events := published(t, total, func(b view.Batch) {
		b.Deliveries = nil // the ledger tells of them
		apply(grown, b)
		if b.Cursor <= early {
			apply(behind, b)
		}
	})
	if err := filled.BeginFill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*view.View{"filled": filled, "behind": behind} {
		after, keep := int64(0), keep
		if v == behind {
			after, keep = early, 0
		}
		p := New(Options{Events: events, View: v, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if err := p.applyEvents(t.Context(), after, total, atOnce, keep); err != nil {
			t.Fatal(err)
		}
		if v == filled {
			if err := v.EndFill(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for before := int64(0); ; {
			q := view.Query{Before: before, Limit: 1000}
			want, err := grown.Payments(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Payments(t.Context(), q)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s: %d payments before %d, want %d (%v)", name, len(got), before, len(want), err)
			}
			for i := range want {
				if want[i].Name != got[i].Name || !proto.Equal(want[i].State, got[i].State) {
					t.Fatalf("%s: payment %d before %d is %v, want %v", name, i, before, got[i], want[i])
				}
			}
			if len(want) == 0 {
				break
			}
			before = want[len(want)-1].UpdateCursor
		}
	}
}
