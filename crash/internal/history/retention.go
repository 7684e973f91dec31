package history

// retention judges what retention has left.
func (c *checker) retention(f *Figures) {
	r := c.h.Retention
	if r == nil {
		return
	}
	f.TrimmedCommits, f.TrimmedMessages = int(r.Ledger.First-1), int(r.Events.First-1)
	f.Missed = len(r.Missed)
	for name, k := range map[string]Kept{"the ledger": r.Ledger, "the event stream": r.Events} {
		switch {
		case k.Bytes > k.Bound:
			c.report(RetentionKeeps, "%s has %d bytes, the bound is %d", name, k.Bytes, k.Bound)
		case k.First > 1 && k.Bytes+k.Slack <= k.Bound:
			c.report(RetentionKeeps, "%s begins with %d and has %d bytes, although %d more are within the bound of %d", name, k.First, k.Bytes, k.Slack, k.Bound)
		}
	}
	told := map[int64]bool{}
	for at := range c.h.Told {
		told[at.Commit] = true
	}
	for _, commit := range r.Missed {
		if !told[commit] {
			c.report(TrimmedIsProjected, "commit %d is gone, and nothing tells of it", commit)
		}
	}
	for _, s := range c.h.Ledger {
		if at := s.Position; at.Commit < r.Ledger.First && !told[at.Commit] {
			c.report(TrimmedIsProjected, "deliveries/d%d-%d is gone, and the read API does not tell of it", at.Commit, at.Delivery)
		}
	}
}

// kept compares what the read API says is kept with what is.
func (c *checker) kept() {
	first := int64(1)
	if c.h.Retention != nil {
		first = c.h.Retention.Ledger.First
	}
	for _, s := range c.h.Ledger {
		if gone := s.Position.Commit < first; gone != c.h.Gone[s.Position] {
			c.report(OutcomeIsTold, "the read API says that the ledger keeps deliveries/d%d-%d: %t; the ledger begins with commit %d",
				s.Position.Commit, s.Position.Delivery, !c.h.Gone[s.Position], first)
		}
	}
}
