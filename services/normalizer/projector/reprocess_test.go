package projector_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// command asks to normalize deliveries again.
func (p *pipeline) command(t *testing.T, deliveries ...string) {
	t.Helper()
	if _, err := p.ledger.Command(t.Context(), &ledgerv1.Reprocess{Deliveries: deliveries}); err != nil {
		t.Fatal(err)
	}
}

// deliveries lists what the view says of all deliveries that a filter matches, oldest first.
func (p *pipeline) deliveries(t *testing.T, text string) []view.Delivery {
	t.Helper()
	f, err := filter.Deliveries().Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	all, err := p.view.DeliveriesAfter(t.Context(), 0, f, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// paid returns the sum that the last event says.
func paid(messages []eventstream.Message) int64 {
	return messages[len(messages)-1].Event.GetAmountPaid().GetMinorUnits()
}

// before accepts bodies and projects them with the mapping that is to be
// replaced; it returns a pipeline over the same stores with another one.
func before(t *testing.T, s *natsd.Server, file string, fixed words, bodies ...string) *pipeline {
	t.Helper()
	p := open(t, s, file)
	p.accept(t, bodies...)
	p.run(t)
	p.ledger.Close()
	return openWith(t, s, file, fixed)
}

func TestQuarantinedItemIsReleasedOnce(t *testing.T) {
	fixed := words{reads: map[string]string{"COLLECTED": "PAID"}}
	server, file := natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db")
	p := before(t, server, file, fixed, "p1 PENDING 1", "p1 COLLECTED 2\np2 PENDING 1", "p1 COLLECTED 2")
	if got := len(p.deliveries(t, "quarantine_reason = unmapped")); got != 2 {
		t.Errorf("%d deliveries have an open notice, want 2", got)
	}
	p.command(t, "deliveries/d2-0", "deliveries/d1-0", "deliveries/d3-0", "deliveries/d2-0", "deliveries/d99-0", "nonsense")
	p.command(t, "deliveries/d3-0", "deliveries/d2-0") // changes nothing
	p.accept(t, "p1 COLLECTED 2")
	p.run(t)
	messages := p.published(t)
	want := "p1:PENDING:applied:1 unmapped p2:PENDING:applied:1 unmapped p1:PAID:applied:2"
	if got := summary(messages); got != want {
		t.Fatalf("published\n%s\nwant\n%s", got, want)
	}
	e := messages[4].Event
	if at := e.GetLedgerPosition(); at.GetSequence() != 4 || at.GetDelivery() != 0 || at.GetItem() != 0 || e.GetDelivery() != "deliveries/d2-0" {
		t.Errorf("the event is of %s, at %v; want deliveries/d2-0 and the place of the command", e.GetDelivery(), at)
	}
	p.ledger.Close()

	q := openWith(t, server, file, fixed)
	if open := q.deliveries(t, `quarantine_reason = "*"`); len(open) != 0 {
		t.Errorf("notices are still open: %v", open)
	}
	for name, want := range map[string]string{"deliveries/d2-0": e.GetName(), "deliveries/d3-0": e.GetName()} {
		d, err := q.view.Delivery(t.Context(), name)
		if err != nil || len(d.Outcomes) == 0 || d.Outcomes[0].ReleasedAs != want {
			t.Errorf("%s: %+v (%v), want that item 0 was released as %s", name, d.Outcomes, err, want)
		}
	}
	q.run(t)
}

func TestCorrectionTakesThePlaceOfTheLastEvent(t *testing.T) {
	server, file := natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db")
	p := before(t, server, file, words{reads: map[string]string{"PAID": "FAILED"}}, "p1 PENDING 1", "p1 PAID 2", "p1 PAID 2")
	p.command(t, "deliveries/d1-0", "deliveries/d3-0") // the same as before; a repeat, for which the first one speaks
	p.command(t, "deliveries/d2-0")
	p.command(t, "deliveries/d2-0") // says what the correction says
	p.run(t)
	messages := p.published(t)
	if got, want := summary(messages), "p1:PENDING:applied:1 p1:PAID:applied:2 p1:FAILED:correction:3"; got != want {
		t.Fatalf("published\n%s\nwant\n%s", got, want)
	}
	if got, want := messages[2].Event.GetSupersedes(), messages[1].Name(); got != want || messages[2].Name() == want {
		t.Errorf("%s supersedes %s, want %s", messages[2].Name(), got, want)
	}
	p.ledger.Close()

	// The mapping was right after all: the newest correction is what is corrected.
	q := open(t, server, file)
	q.command(t, "deliveries/d2-0")
	q.run(t)
	again := q.published(t)
	if got, want := summary(again[3:]), "p1:PAID:correction:4"; got != want || again[3].Event.GetSupersedes() != messages[2].Name() {
		t.Errorf("published %s that supersedes %s; want %s and %s", got, again[3].Event.GetSupersedes(), want, messages[2].Name())
	}
}

func TestCorrectionOfWhatWasOvertakenLeadsNobodyBack(t *testing.T) {
	p := before(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"),
		words{reads: map[string]string{"PENDING": "PROCESSING"}}, "p1 PENDING 1", "p1 PAID 2")
	p.command(t, "deliveries/d1-0")
	p.run(t)
	messages := p.published(t)
	if got, want := summary(messages), "p1:PENDING:applied:1 p1:PAID:applied:2 p1:PROCESSING:stale:0"; got != want {
		t.Errorf("published\n%s\nwant\n%s", got, want)
	}
	if got := messages[2].Event.GetSupersedes(); got != messages[0].Name() {
		t.Errorf("it supersedes %s, want %s", got, messages[0].Name())
	}
}

func TestCorrectedCapturesReplaceTheirPartOfTheSum(t *testing.T) {
	p := before(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"),
		words{factor: 100}, "p1 PAID 1 c1 5", "p1 PAID 2 c2 7", "p2 PAID 1 c1 5")
	if got := paid(p.published(t)[:2]); got != 12 {
		t.Fatalf("12 were paid, got %d", got)
	}
	p.command(t, "deliveries/d1-0", "deliveries/d3-0")
	p.command(t, "deliveries/d2-0")
	p.run(t)
	messages := p.published(t)
	want := "p1:PAID:applied:1 p1:PAID:applied:2 p2:PAID:applied:1 p1:PAID:applied:3 p2:PAID:correction:2 p1:PAID:applied:4"
	if got := summary(messages); got != want {
		t.Fatalf("published\n%s\nwant\n%s", got, want)
	}
	for n, want := range map[int]int64{4: 507, 5: 500, 6: 1200} {
		if got := paid(messages[:n]); got != want {
			t.Errorf("after message %d, %d were paid, want %d", n, got, want)
		}
	}
}

func TestWhatIsNotUnderstoodAnyMoreStaysPublished(t *testing.T) {
	p := before(t, natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db"),
		words{reads: map[string]string{"PENDING": "ODD", "PAID": "NOTHING"}}, "p1 PENDING 1\np1 PAID 2")
	p.command(t, "deliveries/d1-0")
	p.run(t)
	if got, want := summary(p.published(t)), "p1:PENDING:applied:1 p1:PAID:applied:2"; got != want {
		t.Errorf("published\n%s\nwant\n%s", got, want)
	}
}

// Commands are repeated with what is rebuilt: whatever part of stream and view is
// lost, all comes back as it was.
func TestCommandsSurviveCrashesAndRebuilds(t *testing.T) {
	fixed := words{reads: map[string]string{"COLLECTED": "PAID", "PENDING": "PROCESSING"}}
	server, dir := natsdtest.Start(t, ""), t.TempDir()
	file := filepath.Join(dir, "view.db")
	p := before(t, server, file, fixed,
		"p1 PENDING 1", "p1 COLLECTED 2\np2 PENDING 1\np3 NOTHING 1", "p1 COLLECTED 2\np2 PENDING 1", "p4 COLLECTED 1\np4 COLLECTED 1")
	p.command(t, "deliveries/d1-0", "deliveries/d2-0", "deliveries/d3-0", "deliveries/d4-0")
	p.accept(t, "p2 PENDING 1\np5 PAID 1")
	p.run(t)
	p.ledger.Close()
	p = openWith(t, server, file, fixed)
	want, rows := p.published(t), p.deliveries(t, "")
	p.run(t)
	p.ledger.Close()
	for n := 6; n <= len(want); n++ {
		t.Run(fmt.Sprintf("after message %d of %d", n, len(want)), func(t *testing.T) {
			if n < len(want) {
				if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(dir, fmt.Sprintf("view%d.db", n))
			q := prepare(t, server, file, fixed)
			defer q.ledger.Close()
			if n < len(want) {
				if err := q.events.Publish(t.Context(), 0, want[:n]); err != nil {
					t.Fatal(err)
				}
			}
			if err := q.project.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, q.published(t), protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rows, q.deliveries(t, ""), protocmp.Transform()); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
			if err := q.view.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if !strings.Contains(summary(want), "correction") {
		t.Error("nothing was corrected")
	}
}

func TestACommandBringsTheAccountsThatAreExpectedToday(t *testing.T) {
	server, file := natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db")
	p := open(t, server, file)
	for _, minute := range []string{"1", "2"} {
		if _, err := p.ledger.Append(t.Context(), &ledgerv1.Delivery{Provider: "words", Merchant: "acme", Body: []byte("p1 PENDING " + minute), ExpectAccounts: []string{"other"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*ledgerv1.Reprocess{
		{Deliveries: []string{"deliveries/d1-0"}},
		{Deliveries: []string{"deliveries/d1-0"}, Accounts: []*ledgerv1.EndpointAccounts{{Provider: "words", Merchant: "rival"}}},
		{Deliveries: []string{"deliveries/d1-0"}, Accounts: []*ledgerv1.EndpointAccounts{{Provider: "words", Merchant: "acme", ExpectAccounts: []string{"third"}}}},
		{Deliveries: []string{"deliveries/d1-0"}, Accounts: []*ledgerv1.EndpointAccounts{{Provider: "words", Merchant: "acme"}}},
		{Deliveries: []string{"deliveries/d1-0", "deliveries/d2-0"}, Accounts: []*ledgerv1.EndpointAccounts{{Provider: "words", Merchant: "acme", ExpectAccounts: []string{""}}}},
	} {
		if _, err := p.ledger.Command(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	p.run(t)
	want := "account_mismatch account_mismatch p1:PENDING:applied:1 p1:PENDING:no_change:0"
	if got := summary(p.published(t)); got != want {
		t.Fatalf("published\n%s\nwant\n%s", got, want)
	}
	if at := p.published(t)[2].Event.GetLedgerPosition().GetSequence(); at != 6 {
		t.Errorf("the event is of commit %d, want that of the command which allows any account", at)
	}
	p.ledger.Close()

	// From the ledger alone the same comes out.
	q := open(t, server, file)
	defer q.end(t)
	if got := q.verify(t, words{}); got.Messages != 4 || got.Missing+got.Surplus+got.Different != 0 {
		t.Errorf("verified again: %+v", got)
	}
}
