// Package drift remembers how what a provider sends differs from what it
// documents: members that the documentation does not know, and values or types
// that it does not list. It keeps names and counts, never values.
package drift

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// MaxMembers is how many member names are kept for each provider; the
// deliveries of any further ones are counted under Other.
const MaxMembers = 256

// Other stands for the members beyond MaxMembers.
const Other = "(other)"

// Member is one difference.
type Member struct {
	Name       string // for example "data.discount_amount"
	Deliveries int64  // how many showed it since paynorm started
	FirstTime  time.Time
	LastTime   time.Time
}

// Book is safe for concurrent use. The zero value is not ready; use NewBook.
type Book struct {
	mu        sync.Mutex
	providers map[string]map[string]*Member
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{providers: map[string]map[string]*Member{}} }

// Add counts a delivery of the provider that showed members, and returns the
// names under which they are counted and those of them that are new.
func (b *Book) Add(provider string, members []string, at time.Time) (counted, added []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.providers[provider]
	if known == nil {
		known = map[string]*Member{}
		b.providers[provider] = known
	}
	for _, name := range members {
		if known[name] == nil && len(known) >= MaxMembers {
			name = Other
		}
		m := known[name]
		if m == nil {
			m = &Member{Name: name, FirstTime: at}
			known[name] = m
			added = append(added, name)
		}
		m.Deliveries++
		m.LastTime = at
		counted = append(counted, name)
	}
	return counted, added
}

// Members returns the differences of the provider, by name.
func (b *Book) Members(provider string) []Member {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Member
	for _, m := range b.providers[provider] {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(x, y Member) int { return strings.Compare(x.Name, y.Name) })
	return all
}
