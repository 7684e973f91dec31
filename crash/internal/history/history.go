// Package history judges what a paynorm did in spite of crashes. It is given
// what its neighbors saw (senders, a subscriber) and what is stored now, knows
// nothing of how it came about, and says what was promised and not kept.
package history

import (
	"crypto/sha256"
	"fmt"
)

// Digest is the SHA-256 of bytes that are compared and not kept.
type Digest [sha256.Size]byte

func (d Digest) String() string { return fmt.Sprintf("%x", d[:6]) }

// History is everything that was seen of one ledger from its first day.
type History struct {
	// Sent has what the senders remember, by the digest of the body.
	Sent map[Digest]*Sent
	// Ledger has the deliveries of PAYNORM_LEDGER in order, with those that were there
	// until retention removed them.
	Ledger []Stored
	// Stream has the messages of PAYNORM_EVENTS in order, with those that were there
	// until retention removed them.
	Stream []Message
	// View has the events of the read API, oldest first.
	View []ViewEvent
	// Told has what the read API tells of each delivery, by the place of its first item.
	Told map[Position][]Told
	// Gone has the deliveries of which the read API says that the ledger no longer keeps them.
	Gone map[Position]bool
	// Seen has what a durable consumer of all of PAYNORM_EVENTS was given.
	Seen Seen
	// Retention is what retention has left; nil when everything is kept.
	Retention *Retention
}

// Retention is what is left of the streams, and what nobody saw of the rest.
type Retention struct {
	Ledger, Events Kept
	// Missed are the commits that were removed before a neighbor had read them. With
	// any of them, Ledger has gaps and only the read API can tell of them.
	Missed []int64
}

// Kept is what is left of a stream.
type Kept struct {
	First int64 // the oldest sequence, 1 when nothing was removed
	Last  int64 // the newest one, 0 when nothing was stored
	Bytes int64
	Bound int64 // of Bytes
	// Slack is how much less than Bound may be left, because messages go as a whole.
	Slack int64
}

// Sent is a body that was sent, once or several times.
type Sent struct {
	Provider     string
	Attempts     int    // requests that may have reached paynorm
	Acknowledged int    // of them, answered with 2xx
	Items        []Item // what is in the body, in its order
}

// Item is what one notification inside a body must lead to.
type Item struct {
	Outcome Outcome
	// Fact is the provider's idempotency key, with the provider before it; of
	// an Event only.
	Fact string
}

// Outcome is what becomes of an item.
type Outcome string

// The outcomes of an item.
const (
	Event      Outcome = "event"
	Quarantine Outcome = "quarantine"
	Skip       Outcome = "skip"
)

// Position is a place in the ledger: a commit, a delivery in it, an item in that.
type Position struct {
	Commit         int64
	Delivery, Item int
}

func (p Position) String() string {
	return fmt.Sprintf("item %d of deliveries/d%d-%d", p.Item, p.Commit, p.Delivery)
}

// Stored is a delivery in the ledger.
type Stored struct {
	Position Position // of its first item
	Provider string
	Body     Digest
}

// Message is a message of PAYNORM_EVENTS.
type Message struct {
	Sequence int64  // the stream's
	Cursor   int64  // what the message says of itself
	Raw      Digest // of subject, headers and body
	Position Position
	Name     string // events/… or quarantined/…
	// The rest is of events only.
	Quarantined bool
	Payment     string
	Version     int64
	Changed     bool   // disposition APPLIED or CORRECTION
	Content     Digest // of the event, however it was encoded
}

// Told is what the read API says that an item of a delivery became.
type Told struct {
	Item   int
	Repeat bool   // Name had told the fact before
	Name   string // events/… or quarantined/…
}

// ViewEvent is an event as the read API answers it.
type ViewEvent struct {
	Cursor  int64
	Name    string
	Content Digest
}

// Seen is what a durable consumer was given, over all its connections.
type Seen struct {
	First   map[int64]Digest // Message.Raw by sequence, as it came first
	Repeats int              // deliveries of a message that had come before
	Changed []int64          // sequences that came again with other bytes
}

// Figures count what a history has.
type Figures struct {
	Acknowledged int // requests answered with 2xx
	Stored       int // deliveries in the ledger
	Commits      int
	Events       int
	Notices      int
	Payments     int
	Repeated     int // items whose fact had been projected before
	Seen         int // messages that the consumer was given
	Redelivered  int // how often it was given one again
	// What retention removed.
	TrimmedCommits, TrimmedMessages int
	Missed                          int // commits that were removed before a neighbor had read them
	// What must be zero.
	Lost   int // acknowledged deliveries that are not in the ledger
	Unseen int // messages that the consumer was not given
	Undone int // messages that the consumer was given and that are not stored so
}
