package history

import (
	"fmt"
	"strings"
)

// Rule is a promise.
type Rule string

// The promises, in the order in which they are checked.
const (
	AcknowledgedIsStored Rule = "an acknowledged delivery is in the ledger as it was sent"
	StoredWasSent        Rule = "the ledger has nothing that was not sent"
	LedgerIsOrdered      Rule = "the ledger has no gap"
	CursorIsSequence     Rule = "an event's cursor is its place in the stream, without gaps"
	FactHasOneEvent      Rule = "a fact has one event with one name"
	ItemIsProjected      Rule = "each item has its event or notice, in ledger order"
	VersionsCount        Rule = "payment_version counts 1, 2, 3 over what changed a payment"
	ViewIsStream         Rule = "the view has the events of the stream"
	BearsTheDisk         Rule = "on a full or slow disk paynorm stays up, answers, says what is wrong, and recovers by itself" // judged by who runs it
	StartsAgain          Rule = "paynorm starts on what a crash has left"                                                      // judged by who starts it
	ProjectionEnds       Rule = "in the end everything is projected"                                                           // judged by who waits for it
	RetentionKeeps       Rule = "retention removes what is beyond its bounds, and nothing else"
	TrimmedIsProjected   Rule = "retention removes nothing that is not projected"
	OutcomeIsTold        Rule = "the read API tells of each delivery what came of its items"
	SubscriberSawAll     Rule = "a durable consumer is given every message, and never another one in its place"
)

// Violation is a promise that was not kept. The text says where.
type Violation struct {
	Rule Rule
	Text string
}

func (v *Violation) Error() string { return fmt.Sprintf("%s (%s)", v.Text, v.Rule) }

// maxPerRule bounds how many violations of a rule are told; one fault often has
// thousands.
const maxPerRule = 3

type checker struct {
	h     History
	found map[Rule]int
	told  Violations
}

// Check returns the figures of h and what is wrong with it.
func Check(h History) (Figures, Violations) {
	c := &checker{h: h, found: map[Rule]int{}}
	var f Figures
	if c.retention(&f); f.Missed > 0 {
		return f, c.all() // there are gaps in what is known
	}
	c.ledger(&f)
	c.cursors()
	c.facts(&f)
	c.versions(&f)
	c.view()
	c.subscriber(&f)
	c.kept()
	return f, c.all()
}

// CheckLedger is Check for what is left of a paynorm that does not start: only
// whether the acknowledged deliveries are there.
func CheckLedger(h History) (Figures, Violations) {
	c := &checker{h: h, found: map[Rule]int{}}
	stored := map[Digest]int{}
	for _, s := range h.Ledger {
		stored[s.Body]++
	}
	f := Figures{Stored: len(h.Ledger), Lost: c.lost(stored)}
	return f, c.all()
}

// all returns what was reported, and how much more there was.
func (c *checker) all() Violations {
	for rule, n := range c.found {
		if n > maxPerRule {
			c.told = append(c.told, &Violation{rule, fmt.Sprintf("and %d more", n-maxPerRule)})
		}
	}
	return c.told
}

func (c *checker) report(r Rule, format string, args ...any) {
	if c.found[r]++; c.found[r] <= maxPerRule {
		c.told = append(c.told, &Violation{r, fmt.Sprintf(format, args...)})
	}
}

func (c *checker) ledger(f *Figures) {
	stored := map[Digest]int{}
	next := Position{Commit: 1}
	for _, s := range c.h.Ledger {
		if s.Position != next {
			next.Commit, next.Delivery = next.Commit+1, 0
		}
		if s.Position != next {
			c.report(LedgerIsOrdered, "%v stands where %v should", s.Position, next)
			next = s.Position
		}
		next.Delivery++
		f.Commits = int(s.Position.Commit)
		sent := c.h.Sent[s.Body]
		switch stored[s.Body]++; {
		case sent == nil:
			c.report(StoredWasSent, "nobody sent the body %v of %v", s.Body, s.Position)
		case sent.Provider != s.Provider:
			c.report(StoredWasSent, "%v is from %s and was sent to %s", s.Position, sent.Provider, s.Provider)
		case stored[s.Body] > sent.Attempts:
			c.report(StoredWasSent, "%v: body %v was sent %d times and is stored %d times", s.Position, s.Body, sent.Attempts, stored[s.Body])
		}
	}
	f.Stored = len(c.h.Ledger)
	for _, sent := range c.h.Sent {
		f.Acknowledged += sent.Acknowledged
	}
	f.Lost = c.lost(stored)
}

// lost counts acknowledgements: each stands for a delivery of its own, so a
// repeat cannot hide that the first one is gone.
func (c *checker) lost(stored map[Digest]int) (n int) {
	for body, sent := range c.h.Sent {
		if missing := sent.Acknowledged - stored[body]; missing > 0 {
			n += missing
			c.report(AcknowledgedIsStored, "%s: body %v was acknowledged %d times and is stored %d times", sent.Provider, body, sent.Acknowledged, stored[body])
		}
	}
	return n
}

func (c *checker) cursors() {
	for i, m := range c.h.Stream {
		if want := int64(i + 1); m.Sequence != want {
			c.report(CursorIsSequence, "sequence %d stands where %d should", m.Sequence, want)
			return // all others are off, too
		}
		if m.Cursor != m.Sequence {
			c.report(CursorIsSequence, "%s has sequence %d and cursor %d", m.Name, m.Sequence, m.Cursor)
		}
	}
}

func (c *checker) versions(f *Figures) {
	last := map[string]int64{}
	for _, m := range c.h.Stream {
		if m.Quarantined {
			continue
		}
		previous, want := last[m.Payment], int64(0)
		if m.Changed {
			want = previous + 1
			previous = m.Version
		}
		if m.Version != want {
			c.report(VersionsCount, "%s (cursor %d) has version %d of %s, want %d", m.Name, m.Cursor, m.Version, m.Payment, want)
		}
		last[m.Payment] = previous
	}
	f.Payments = len(last)
}

func (c *checker) view() {
	at := 0
	for _, m := range c.h.Stream {
		if m.Quarantined {
			continue
		}
		if at == len(c.h.View) {
			c.report(ViewIsStream, "the view ends before %s (cursor %d)", m.Name, m.Cursor)
			return
		}
		v := c.h.View[at]
		if v.Name != m.Name || v.Cursor != m.Cursor {
			c.report(ViewIsStream, "the view has %s (cursor %d) where the stream has %s (cursor %d)", v.Name, v.Cursor, m.Name, m.Cursor)
			return // all others are off, too
		}
		if v.Content != m.Content {
			c.report(ViewIsStream, "%s is not the same in view and stream", m.Name)
		}
		at++
	}
	if at < len(c.h.View) {
		c.report(ViewIsStream, "the view has %s (cursor %d), which is not in the stream", c.h.View[at].Name, c.h.View[at].Cursor)
	}
}

func (c *checker) subscriber(f *Figures) {
	f.Seen, f.Redelivered = len(c.h.Seen.First), c.h.Seen.Repeats
	for _, sequence := range c.h.Seen.Changed {
		c.report(SubscriberSawAll, "message %d came again with other bytes", sequence)
	}
	for _, m := range c.h.Stream {
		switch raw, ok := c.h.Seen.First[m.Sequence]; {
		case !ok && c.h.Retention != nil && m.Sequence < c.h.Retention.Events.First:
			// Removed before it was its turn: retention does not wait for consumers.
		case !ok:
			f.Unseen++
			c.report(SubscriberSawAll, "message %d (%s) was not given to the consumer", m.Sequence, m.Name)
		case raw != m.Raw:
			f.Undone++
			c.report(SubscriberSawAll, "the consumer was given another message %d than %s, which is stored there now", m.Sequence, m.Name)
		}
	}
	for sequence := range c.h.Seen.First {
		if sequence > int64(len(c.h.Stream)) {
			f.Undone++
			c.report(SubscriberSawAll, "the consumer was given message %d; the stream ends with %d", sequence, len(c.h.Stream))
		}
	}
}

// Violations are all that is wrong with a history, as an error.
type Violations []*Violation

func (v Violations) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d promises were not kept:", len(v))
	for _, one := range v {
		text.WriteString("\n  " + one.Error())
	}
	return text.String()
}

// Err returns v as an error, nil when there is none.
func (v Violations) Err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
