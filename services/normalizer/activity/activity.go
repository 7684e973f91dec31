// Package activity remembers how the receiving endpoints are doing: what was
// authentic, what was refused and why, which key was used when, and whether an
// endpoint that usually receives has fallen silent. It is in memory and bounded,
// and it starts anew with the process.
package activity

import (
	"cmp"
	"slices"
	"sync"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// MaxRefusals is how many refused webhooks are remembered for each endpoint.
const MaxRefusals = 20

// Endpoint names an endpoint.
type Endpoint struct{ Provider, Merchant string }

func (e Endpoint) compare(f Endpoint) int {
	return cmp.Or(cmp.Compare(e.Provider, f.Provider), cmp.Compare(e.Merchant, f.Merchant))
}

// Refusal is what is kept of a webhook that was not authentic, or could not be
// decoded. It holds no credential and nothing of the body.
type Refusal struct {
	Time   time.Time
	Remote string // the address of the sender, without the port
	Cause  string
}

// Key is the use of a configured key.
type Key struct {
	ID   string
	Uses int64
	Last time.Time // zero: never
}

// Report is how an endpoint is doing.
type Report struct {
	Endpoint
	Mode                       eventv1.Mode
	Authentic, Refused         int64
	LastAuthentic, LastRefused time.Time // zero: never
	Keys                       []Key     // by ID
	Refusals                   []Refusal // newest first
	Silent                     bool
	UsualSilence               time.Duration // 0: not known yet
}

// Book is safe for concurrent use. Only endpoints that were configured are in
// it, so that it does not grow with what strangers send.
type Book struct {
	mu        sync.Mutex
	endpoints map[Endpoint]*record
}

// record is what is known of one endpoint.
type record struct {
	mode                       eventv1.Mode
	authentic, refused         int64
	lastAuthentic, lastRefused time.Time
	keys                       map[string]*Key
	refusals                   []Refusal // a ring
	next                       int       // where in the ring the next one goes
	rhythm                     rhythm
	silent                     bool // as last reported by Silences
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{endpoints: map[Endpoint]*record{}} }

// Configure makes an endpoint known, with its keys. What is known of it and of
// those keys stays.
func (b *Book) Configure(e Endpoint, mode eventv1.Mode, keyIDs []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.endpoints[e]
	if r == nil {
		r = &record{}
		b.endpoints[e] = r
	}
	r.mode = mode
	old := r.keys
	r.keys = make(map[string]*Key, len(keyIDs))
	for _, id := range keyIDs {
		r.keys[id] = cmp.Or(old[id], &Key{ID: id})
	}
}

// Keep forgets all endpoints but those.
func (b *Book) Keep(configured map[Endpoint]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := range b.endpoints {
		if !configured[e] {
			delete(b.endpoints, e)
		}
	}
}

// Authentic counts a webhook that keyID authenticated.
func (b *Book) Authentic(e Endpoint, keyID string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.endpoints[e]
	if r == nil {
		return
	}
	r.authentic++
	r.lastAuthentic = at
	r.rhythm.beat(at)
	if k := r.keys[keyID]; k != nil {
		k.Uses++
		k.Last = at
	}
}

// Refused counts a webhook that was refused.
func (b *Book) Refused(e Endpoint, f Refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.endpoints[e]
	if r == nil {
		return
	}
	r.refused++
	r.lastRefused = f.Time
	if len(r.refusals) < MaxRefusals {
		r.refusals = append(r.refusals, f)
		return
	}
	r.refusals[r.next] = f
	r.next = (r.next + 1) % MaxRefusals
}

// Reports returns how all endpoints are doing at now, by provider and merchant.
func (b *Book) Reports(now time.Time) []Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Report, 0, len(b.endpoints))
	for e, r := range b.endpoints {
		all = append(all, r.report(e, now))
	}
	slices.SortFunc(all, func(x, y Report) int { return x.compare(y.Endpoint) })
	return all
}

func (r *record) report(e Endpoint, now time.Time) Report {
	out := Report{
		Endpoint: e, Mode: r.mode, Authentic: r.authentic, Refused: r.refused,
		LastAuthentic: r.lastAuthentic, LastRefused: r.lastRefused,
		Silent: r.rhythm.silent(now), UsualSilence: r.rhythm.usual(),
	}
	for _, k := range r.keys {
		out.Keys = append(out.Keys, *k)
	}
	slices.SortFunc(out.Keys, func(x, y Key) int { return cmp.Compare(x.ID, y.ID) })
	for i := range r.refusals {
		out.Refusals = append(out.Refusals, r.refusals[(r.next+i)%len(r.refusals)])
	}
	slices.Reverse(out.Refusals)
	return out
}

// Change is an endpoint that has fallen silent, or receives again.
type Change struct {
	Endpoint
	Silent       bool
	Since        time.Time // of the last webhook
	UsualSilence time.Duration
}

// Changes returns what has changed about the silence of endpoints since it was
// asked last.
func (b *Book) Changes(now time.Time) []Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Change
	for e, r := range b.endpoints {
		silent := r.rhythm.silent(now)
		if silent != r.silent {
			r.silent = silent
			all = append(all, Change{Endpoint: e, Silent: silent, Since: r.lastAuthentic, UsualSilence: r.rhythm.usual()})
		}
	}
	slices.SortFunc(all, func(x, y Change) int { return x.compare(y.Endpoint) })
	return all
}
