package serve

import "slices"

// stack closes what was opened, in reverse order, also when opening stops half-way.
type stack struct{ closers []func() }

func (s *stack) push(closer func()) { s.closers = append(s.closers, closer) }

func (s *stack) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
	s.closers = nil
}
