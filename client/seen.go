package client

import (
	"context"
	"sync"
)

// Seen remembers the names of the events that were handled. It keeps out what is
// delivered again because an acknowledgement was lost. A store that is shared and
// lasts also keeps out what another program has handled; best is one that is in
// the same transaction as what the handler does, which is then idempotent by itself.
// It is used by several handlers at once.
type Seen interface {
	// Seen says whether the event was handled.
	Seen(ctx context.Context, name string) (bool, error)
	// Mark says that the event was handled.
	Mark(ctx context.Context, name string) error
}

// Memory remembers the names that were marked last.
type Memory struct {
	mu    sync.Mutex
	names map[string]bool
	ring  []string // in the order of marking, from next on
	next  int
}

// NewMemory returns a memory for size names, at least one.
func NewMemory(size int) *Memory {
	return &Memory{names: map[string]bool{}, ring: make([]string, max(size, 1))}
}

// Seen says whether name is among those marked last. It never fails.
func (m *Memory) Seen(_ context.Context, name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names[name], nil
}

// Mark remembers name, and forgets the oldest when there are too many. It never fails.
func (m *Memory) Mark(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[name] {
		return nil
	}
	delete(m.names, m.ring[m.next])
	m.names[name], m.ring[m.next] = true, name
	m.next = (m.next + 1) % len(m.ring)
	return nil
}
