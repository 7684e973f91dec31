// Package verify compares what a server has stored with what was sent to it:
// nothing that was acknowledged may be missing, nothing may be there more often
// than it was sent, and each fact has one event.
package verify

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/paynorm/paynorm/benchmarks/internal/load"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Source knows the deliveries that were sent, by sequence number.
type Source interface {
	// Delivery finds which delivery a stored body is; ok is false when it was not made here.
	Delivery(body []byte) (seq uint64, ok bool)
	// AppendBody appends the body of delivery seq.
	AppendBody(dst []byte, seq uint64) []byte
	// Facts returns how many facts each delivery tells: its items, from 0.
	Facts() int
	// Subject returns the middle of the subjects of delivery seq's events: mode, provider and merchant.
	Subject(seq uint64) string
	// Says reports whether e is what delivery seq says at e's item.
	Says(seq uint64, e *eventv1.PaymentStatusChanged) bool
}

// Check collects what is found in the streams of one run. Make one with New.
type Check struct {
	source   Source
	facts    int // of each delivery
	outcomes []load.Outcome
	stored   []int      // deliveries found, by sequence number
	events   []int      // events found, by sequence number times facts plus item
	ledger   [][]uint64 // sequence numbers of deliveries, by commit and place in it
	versions map[string]int64
	cursor   uint64 // of the last event
	buffer   []byte
	report   Report
}

// nothing stands in Check.ledger for what was not sent.
const nothing = math.MaxUint64

// Report is the result of a check.
type Report struct {
	Acknowledged int `json:"acknowledged"` // deliveries
	Unanswered   int `json:"unanswered"`   // deliveries that were sent and not acknowledged; they may be stored or not
	Commits      int `json:"commits"`      // of the ledger; how many deliveries share one sync
	Stored       int `json:"stored"`       // deliveries, each as often as it is there
	Repeated     int `json:"repeated"`     // of these, those after the first of the same; each was sent again
	Events       int `json:"events"`
	Applied      int `json:"applied"` // events that changed something
	// Problems are empty when all is as it must be.
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is something that must not be.
type Problem struct {
	What    string `json:"what"`
	Count   int    `json:"count"`
	Example string `json:"example"`
}

// Err returns the problems as an error, nil when there is none.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	var all []string
	for _, p := range r.Problems {
		all = append(all, fmt.Sprintf("%s (%d, for example %s)", p.What, p.Count, p.Example))
	}
	return fmt.Errorf("verification: %s", strings.Join(all, "; "))
}

// New returns a check of the run that sent deliveries of source with outcomes.
func New(source Source, outcomes []load.Outcome) *Check {
	return &Check{
		source: source, facts: source.Facts(), outcomes: outcomes, versions: map[string]int64{},
		stored: make([]int, len(outcomes)), events: make([]int, len(outcomes)*source.Facts()),
	}
}

// What can be wrong.
const (
	lost       = "an acknowledged delivery is not stored"
	repeated   = "a delivery is stored more often than it was sent"
	foreign    = "something is stored that was not sent"
	changed    = "a delivery is not stored as it was sent"
	broken     = "the chain of commits is broken"
	missing    = "a stored fact has no event"
	twice      = "a fact has more than one event"
	unfounded  = "an event has no stored delivery"
	wrong      = "an event does not say what its delivery says"
	outOfOrder = "the cursors of the events are not 1, 2, 3 and so on"
	gap        = "the versions of a payment are not 1, 2, 3 and so on"
	misplaced  = "an event is on the wrong subject"
	notEvent   = "there is a message on the events' stream that is no event"
)

// problem notes that what was found, with an example.
func (c *Check) problem(what, format string, args ...any) {
	for i := range c.report.Problems {
		if p := &c.report.Problems[i]; p.What == what {
			p.Count++
			return
		}
	}
	c.report.Problems = append(c.report.Problems, Problem{What: what, Count: 1, Example: fmt.Sprintf(format, args...)})
}

// Commit notes the bodies of the deliveries of the ledger's next commit.
func (c *Check) Commit(bodies [][]byte) {
	var commit []uint64
	for _, body := range bodies {
		seq, ok := c.source.Delivery(body)
		commit = append(commit, c.store(seq, ok, body))
		if !ok {
			continue
		}
		if c.buffer = c.source.AppendBody(c.buffer[:0], seq); !bytes.Equal(body, c.buffer) {
			c.problem(changed, "delivery %d", seq)
		}
	}
	c.ledger = append(c.ledger, commit)
	c.report.Commits++
}

// store returns seq, or nothing when it was not sent.
func (c *Check) store(seq uint64, ok bool, example []byte) uint64 {
	c.report.Stored++
	if !ok || seq >= uint64(len(c.outcomes)) || c.outcomes[seq].Attempts == 0 {
		c.problem(foreign, "%.80q", example)
		return nothing
	}
	c.stored[seq]++
	return seq
}

// Event notes a message of the events' stream, in the stream's order, after all
// commits were noted.
func (c *Check) Event(subject string, sequence uint64, e *eventv1.PaymentStatusChanged) {
	c.report.Events++
	if c.cursor++; sequence != c.cursor || uint64(e.GetCursor()) != c.cursor {
		c.problem(outOfOrder, "message %d with cursor %d in place %d", sequence, e.GetCursor(), c.cursor)
	}
	seq := c.place(e.GetLedgerPosition())
	if seq == nothing {
		c.problem(unfounded, "%s", e.GetName())
	} else {
		c.events[seq*uint64(c.facts)+uint64(e.GetLedgerPosition().GetItem())]++
		if !c.source.Says(seq, e) {
			c.problem(wrong, "delivery %d, item %d", seq, e.GetLedgerPosition().GetItem())
		}
	}
	if e.GetPaymentVersion() == 0 { // it changed nothing
		c.subject(subject, "observations.v1.", seq)
		return
	}
	c.subject(subject, "payments.v1.", seq)
	c.report.Applied++
	if c.versions[e.GetPayment()]++; e.GetPaymentVersion() != c.versions[e.GetPayment()] {
		c.problem(gap, "version %d of %s in place %d", e.GetPaymentVersion(), e.GetPayment(), c.versions[e.GetPayment()])
	}
}

// subject compares where an event of delivery seq is with where it belongs.
func (c *Check) subject(subject, root string, seq uint64) {
	if seq != nothing {
		root += c.source.Subject(seq) + "."
	}
	if !strings.HasPrefix(subject, root) {
		c.problem(misplaced, "%s, not below %s", subject, root)
	}
}

// place returns the sequence number of the delivery at p, or nothing, also when
// the delivery has no such item.
func (c *Check) place(p *eventv1.LedgerPosition) uint64 {
	commit, delivery := p.GetSequence()-1, p.GetDelivery()
	if commit < 0 || commit >= int64(len(c.ledger)) || delivery < 0 || int(delivery) >= len(c.ledger[commit]) ||
		p.GetItem() < 0 || int(p.GetItem()) >= c.facts {
		return nothing
	}
	return c.ledger[commit][delivery]
}

// Deliveries compares what was stored with what was sent, after all was noted.
func (c *Check) Deliveries() {
	for seq, o := range c.outcomes {
		n := c.stored[seq]
		switch {
		case o.Acknowledged:
			c.report.Acknowledged++
		case o.Attempts > 0:
			c.report.Unanswered++
		}
		if o.Acknowledged && n == 0 {
			c.problem(lost, "delivery %d, %d attempts", seq, o.Attempts)
		}
		if n > int(o.Attempts) {
			c.problem(repeated, "delivery %d, %d attempts", seq, o.Attempts)
		}
		c.report.Repeated += max(0, n-1)
	}
}

// Events compares the events with what was stored, after all was noted. Every
// item of a delivery that was sent is a fact of its own.
func (c *Check) Events() {
	for fact, n := range c.events {
		seq, item := fact/c.facts, fact%c.facts
		switch {
		case n == 0 && c.stored[seq] > 0:
			c.problem(missing, "delivery %d, item %d", seq, item)
		case n > 1:
			c.problem(twice, "delivery %d, item %d", seq, item)
		}
	}
}

// Report returns what was found.
func (c *Check) Report() *Report { return &c.report }
