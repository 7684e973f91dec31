package history_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/crash/internal/history"
)

// trimmed is a whole history after retention has removed the first commit and the
// first two messages.
func trimmed() history.History {
	h := whole()
	h.Gone = map[history.Position]bool{at(1, 0, 0): true, at(1, 1, 0): true}
	h.Retention = &history.Retention{
		Ledger: history.Kept{First: 2, Last: 3, Bytes: 900, Bound: 1000, Slack: 300},
		Events: history.Kept{First: 3, Last: 5, Bytes: 1000, Bound: 1000, Slack: 200},
	}
	return h
}

// missed is trimmed without a neighbor who read the first commit in time.
func missed() history.History {
	h := trimmed()
	h.Ledger, h.Retention.Missed = h.Ledger[2:], []int64{1}
	return h
}

func TestTrimmedHistoryPasses(t *testing.T) {
	want, _ := history.Check(whole())
	want.TrimmedCommits, want.TrimmedMessages = 1, 2
	got, wrong := history.Check(trimmed())
	for _, v := range wrong {
		t.Error(v)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestWhatNobodyReadInTimeIsCounted(t *testing.T) {
	got, wrong := history.Check(missed())
	for _, v := range wrong {
		t.Error(v)
	}
	if want := (history.Figures{TrimmedCommits: 1, TrimmedMessages: 2, Missed: 1}); got != want {
		t.Errorf("figures %+v, want %+v", got, want)
	}
}

func TestFaultsOfRetentionAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin func() history.History
		plant func(h *history.History)
		want  history.Rule
	}{
		{"the ledger is larger than its bound", trimmed, func(h *history.History) {
			h.Retention.Ledger.Bytes = 1001
		}, history.RetentionKeeps},
		{"the events are larger than their bound", trimmed, func(h *history.History) {
			h.Retention.Events.Bytes = 1001
		}, history.RetentionKeeps},
		{"more was removed than had to be", trimmed, func(h *history.History) {
			h.Retention.Ledger.Bytes = 700
		}, history.RetentionKeeps},
		{"what was removed is not projected", trimmed, func(h *history.History) {
			delete(h.Told, at(1, 0, 0))
			delete(h.Told, at(1, 1, 0))
		}, history.TrimmedIsProjected},
		{"what was removed before anybody read it is not projected", missed, func(h *history.History) {
			delete(h.Told, at(1, 0, 0))
			delete(h.Told, at(1, 1, 0))
		}, history.TrimmedIsProjected},
		{"an event of what was removed is missing", trimmed, func(h *history.History) { remove(h, 0) }, history.ItemIsProjected},
		{"what was acknowledged and removed was another body", trimmed, func(h *history.History) {
			h.Ledger[1].Body = digest("refused")
		}, history.AcknowledgedIsStored},
		{"the view does not have a removed event", trimmed, func(h *history.History) { h.View = h.View[1:] }, history.ViewIsStream},
		{"the read API says that a removed delivery is kept", trimmed, func(h *history.History) {
			delete(h.Gone, at(1, 1, 0))
		}, history.OutcomeIsTold},
		{"the read API says that a kept delivery is gone", trimmed, func(h *history.History) {
			h.Gone[at(2, 0, 0)] = true
		}, history.OutcomeIsTold},
		{"the read API says that something is gone without retention", whole, func(h *history.History) {
			h.Gone = map[history.Position]bool{at(1, 0, 0): true}
		}, history.OutcomeIsTold},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := c.begin()
			c.plant(&h)
			if _, wrong := history.Check(h); !broken(wrong, c.want) {
				t.Errorf("found %v, want a violation of %q", wrong, c.want)
			}
		})
	}
}
