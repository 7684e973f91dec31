package history_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/crash/internal/history"
)

func digest(text string) history.Digest { return sha256.Sum256([]byte(text)) }

// whole is a history without a fault: three commits, a repeat, a skip, a
// quarantined item and an event that changed nothing.
func whole() history.History {
	event := func(fact string) history.Item { return history.Item{Outcome: history.Event, Fact: fact} }
	h := history.History{
		Sent: map[history.Digest]*history.Sent{
			digest("created"): {Provider: "clip", Attempts: 3, Acknowledged: 2, Items: []history.Item{event("p1 created")}},
			digest("batch"): {Provider: "clip", Attempts: 1, Acknowledged: 1, Items: []history.Item{
				event("p2 paid"), {Outcome: history.Skip}, {Outcome: history.Quarantine}, event("p1 created"),
			}},
			digest("paid"):    {Provider: "clip", Attempts: 2, Acknowledged: 1, Items: []history.Item{event("p1 paid")}},
			digest("late"):    {Provider: "clip", Attempts: 1, Acknowledged: 1, Items: []history.Item{event("p1 pending")}},
			digest("refused"): {Provider: "clip", Attempts: 4, Items: []history.Item{event("p9 paid")}},
		},
		Told: map[history.Position][]history.Told{
			at(1, 0, 0): {{Item: 0, Name: "events/p1-created"}},
			at(1, 1, 0): {{Item: 0, Name: "events/p2-paid"}, {Item: 2, Name: "quarantined/q1-1-2"}, {Item: 3, Repeat: true, Name: "events/p1-created"}},
			at(2, 0, 0): {{Item: 0, Name: "events/p1-paid"}},
			at(3, 0, 0): {{Item: 0, Repeat: true, Name: "events/p1-created"}},
			at(3, 1, 0): {{Item: 0, Name: "events/p1-pending"}},
		},
		Seen: history.Seen{First: map[int64]history.Digest{}, Repeats: 1},
	}
	store := func(commit int64, delivery int, body string) {
		h.Ledger = append(h.Ledger, history.Stored{
			Position: history.Position{Commit: commit, Delivery: delivery}, Provider: "clip", Body: digest(body),
		})
	}
	store(1, 0, "created")
	store(1, 1, "batch")
	store(2, 0, "paid")
	store(3, 0, "created")
	store(3, 1, "late")
	for i, m := range []history.Message{
		{Name: "events/p1-created", Position: at(1, 0, 0), Payment: "p1", Version: 1, Changed: true},
		{Name: "events/p2-paid", Position: at(1, 1, 0), Payment: "p2", Version: 1, Changed: true},
		{Name: "quarantined/q1-1-2", Position: at(1, 1, 2), Quarantined: true},
		{Name: "events/p1-paid", Position: at(2, 0, 0), Payment: "p1", Version: 2, Changed: true},
		{Name: "events/p1-pending", Position: at(3, 1, 0), Payment: "p1"},
	} {
		m.Sequence, m.Cursor = int64(i+1), int64(i+1)
		m.Raw, m.Content = digest("raw "+m.Name), digest(m.Name)
		h.Stream = append(h.Stream, m)
		h.Seen.First[m.Sequence] = m.Raw
		if !m.Quarantined {
			h.View = append(h.View, history.ViewEvent{Cursor: m.Cursor, Name: m.Name, Content: m.Content})
		}
	}
	return h
}

func at(commit int64, delivery, item int) history.Position {
	return history.Position{Commit: commit, Delivery: delivery, Item: item}
}

func TestWholeHistoryPasses(t *testing.T) {
	got, wrong := history.Check(whole())
	for _, v := range wrong {
		t.Error(v)
	}
	want := history.Figures{Acknowledged: 5, Stored: 5, Commits: 3, Events: 4, Notices: 1, Payments: 2, Repeated: 2, Seen: 5, Redelivered: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

// remove takes the message at i out of the stream, as if it had never been
// published: what follows moves up, in the view and for the consumer, too.
func remove(h *history.History, i int) {
	gone := h.Stream[i]
	h.Stream = append(h.Stream[:i:i], h.Stream[i+1:]...)
	renumber(h)
	for j, v := range h.View {
		if v.Name == gone.Name {
			h.View = append(h.View[:j:j], h.View[j+1:]...)
			break
		}
	}
}

// insert publishes m after the message at i, and tells view and consumer.
func insert(h *history.History, i int, m history.Message) {
	h.Stream = append(h.Stream[:i+1:i+1], append([]history.Message{m}, h.Stream[i+1:]...)...)
	h.View = nil
	renumber(h)
	for _, m := range h.Stream {
		if !m.Quarantined {
			h.View = append(h.View, history.ViewEvent{Cursor: m.Cursor, Name: m.Name, Content: m.Content})
		}
	}
}

func renumber(h *history.History) {
	h.Seen.First = map[int64]history.Digest{}
	cursors := map[string]int64{}
	for i := range h.Stream {
		m := &h.Stream[i]
		m.Sequence, m.Cursor = int64(i+1), int64(i+1)
		h.Seen.First[m.Sequence] = m.Raw
		cursors[m.Name] = m.Cursor
	}
	for i := range h.View {
		h.View[i].Cursor = cursors[h.View[i].Name]
	}
}

func TestPlantedFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(h *history.History)
		want  history.Rule
	}{
		{"acknowledged and not in the ledger", func(h *history.History) {
			h.Sent[digest("refused")].Acknowledged = 1
		}, history.AcknowledgedIsStored},
		{"acknowledged twice, stored once", func(h *history.History) {
			h.Sent[digest("paid")].Acknowledged = 2
		}, history.AcknowledgedIsStored},
		{"the end of the ledger is lost", func(h *history.History) {
			h.Ledger = h.Ledger[:4]
		}, history.AcknowledgedIsStored},
		{"a body was changed", func(h *history.History) {
			h.Ledger[2].Body = digest("paid, but changed")
		}, history.StoredWasSent},
		{"a changed body leaves the acknowledged one missing", func(h *history.History) {
			h.Ledger[2].Body = digest("paid, but changed")
		}, history.AcknowledgedIsStored},
		{"a delivery is stored more often than it was sent", func(h *history.History) {
			h.Sent[digest("late")].Attempts, h.Ledger[2].Body = 1, digest("late")
		}, history.StoredWasSent},
		{"a delivery is filed under another provider", func(h *history.History) {
			h.Ledger[0].Provider = "qitech"
		}, history.StoredWasSent},
		{"a commit is missing in the ledger", func(h *history.History) {
			h.Ledger[3].Position.Commit, h.Ledger[4].Position.Commit = 4, 4
		}, history.LedgerIsOrdered},
		{"a delivery is missing in a commit", func(h *history.History) {
			h.Ledger[1].Position.Delivery = 2
		}, history.LedgerIsOrdered},
		{"an event was skipped", func(h *history.History) { remove(h, 1) }, history.ItemIsProjected},
		{"the last event was skipped", func(h *history.History) { remove(h, 4) }, history.ItemIsProjected},
		{"a notice was skipped", func(h *history.History) { remove(h, 2) }, history.ItemIsProjected},
		{"two events are in the wrong order", func(h *history.History) {
			h.Stream[0], h.Stream[1] = h.Stream[1], h.Stream[0]
			renumber(h)
		}, history.ItemIsProjected},
		{"a notice came twice", func(h *history.History) { insert(h, 2, h.Stream[2]) }, history.ItemIsProjected},
		{"a repeat gave a second event", func(h *history.History) {
			second := h.Stream[0]
			second.Position, second.Version, second.Changed = at(3, 0, 0), 0, false
			insert(h, 3, second)
		}, history.FactHasOneEvent},
		{"a repeat gave a second event of another name", func(h *history.History) {
			second := h.Stream[0]
			second.Name, second.Position, second.Version, second.Changed = "events/other", at(3, 0, 0), 0, false
			insert(h, 3, second)
		}, history.FactHasOneEvent},
		{"an event was published twice", func(h *history.History) { insert(h, 4, h.Stream[4]) }, history.FactHasOneEvent},
		{"two facts share a name", func(h *history.History) {
			h.Stream[3].Name, h.View[2].Name = h.Stream[0].Name, h.Stream[0].Name
		}, history.FactHasOneEvent},
		{"a version was reused", func(h *history.History) { h.Stream[3].Version = 1 }, history.VersionsCount},
		{"a version was left out", func(h *history.History) { h.Stream[3].Version = 3 }, history.VersionsCount},
		{"an event without effect has a version", func(h *history.History) { h.Stream[4].Version = 3 }, history.VersionsCount},
		{"a cursor is not the sequence", func(h *history.History) { h.Stream[3].Cursor = 7 }, history.CursorIsSequence},
		{"the stream has a gap", func(h *history.History) {
			h.Stream[4].Sequence, h.Stream[4].Cursor = 6, 6
		}, history.CursorIsSequence},
		{"the view misses an event", func(h *history.History) {
			h.View = append(h.View[:1:1], h.View[2:]...)
		}, history.ViewIsStream},
		{"the view misses the last event", func(h *history.History) { h.View = h.View[:3] }, history.ViewIsStream},
		{"the view has one event more", func(h *history.History) {
			h.View = append(h.View, history.ViewEvent{Cursor: 6, Name: "events/other"})
		}, history.ViewIsStream},
		{"the view has another content", func(h *history.History) { h.View[0].Content = digest("other") }, history.ViewIsStream},
		{"the view has another order", func(h *history.History) {
			h.View[0], h.View[1] = h.View[1], h.View[0]
		}, history.ViewIsStream},
		{"the view does not know a delivery", func(h *history.History) { delete(h.Told, at(2, 0, 0)) }, history.OutcomeIsTold},
		{"the view forgot a repeat", func(h *history.History) { h.Told[at(3, 0, 0)] = nil }, history.OutcomeIsTold},
		{"the view takes a repeat for the first", func(h *history.History) { h.Told[at(3, 0, 0)][0].Repeat = false }, history.OutcomeIsTold},
		{"the consumer missed a message", func(h *history.History) { delete(h.Seen.First, 3) }, history.SubscriberSawAll},
		{"the consumer was given other bytes the second time", func(h *history.History) {
			h.Seen.Changed = []int64{2}
		}, history.SubscriberSawAll},
		{"what the consumer was given is not what is stored", func(h *history.History) {
			h.Seen.First[2] = digest("other")
		}, history.SubscriberSawAll},
		{"what the consumer was given is gone", func(h *history.History) {
			h.Seen.First[6] = digest("other")
		}, history.SubscriberSawAll},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := whole()
			c.plant(&h)
			_, wrong := history.Check(h)
			if !broken(wrong, c.want) {
				t.Errorf("found %v, want a violation of %q", wrong, c.want)
			}
		})
	}
}

func broken(found history.Violations, r history.Rule) bool {
	return slices.ContainsFunc(found, func(v *history.Violation) bool { return v.Rule == r })
}

func TestLossesAreCounted(t *testing.T) {
	h := whole()
	h.Ledger = h.Ledger[:3]                     // the last commit: two acknowledged deliveries, one event
	h.Stream, h.View = h.Stream[:4], h.View[:3] // and the consumer has seen it
	delete(h.Seen.First, 1)
	got, _ := history.Check(h)
	if got.Lost != 2 || got.Unseen != 1 || got.Undone != 1 {
		t.Errorf("%+v, want 2 lost, 1 unseen, 1 undone", got)
	}
}

func TestManyViolationsOfOneRuleAreCounted(t *testing.T) {
	h := whole()
	for i := range 10 {
		h.Seen.Changed = append(h.Seen.Changed, int64(i))
	}
	_, wrong := history.Check(h)
	if got := wrong[len(wrong)-1].Text; got != "and 7 more" || len(wrong) != 4 {
		t.Errorf("%d violations, the last %q; want 4 and %q", len(wrong), got, "and 7 more")
	}
}
