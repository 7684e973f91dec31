package history

import "slices"

// facts walks through ledger and stream side by side: the items that are no
// skips, and whose fact was not there before, are the messages, in this order.
func (c *checker) facts(f *Figures) {
	names := map[string]string{} // of events, by fact
	facts := map[string]string{} // by name of the event
	rest := c.h.Stream
	for _, s := range c.h.Ledger {
		sent := c.h.Sent[s.Body]
		if sent == nil {
			return // told already, and what follows cannot be judged
		}
		var told []Told
		for i, item := range sent.Items {
			if item.Outcome == Skip {
				continue
			}
			if names[item.Fact] != "" && item.Outcome == Event {
				f.Repeated++
				told = append(told, Told{Item: i, Repeat: true, Name: names[item.Fact]})
				continue
			}
			position := s.Position
			position.Item = i
			if len(rest) == 0 {
				c.report(ItemIsProjected, "the stream ends before the %s of %v", item.Outcome, position)
				return
			}
			m := rest[0]
			rest = rest[1:]
			if m.Position != position || m.Quarantined != (item.Outcome == Quarantine) {
				c.misplaced(m, names, "stands where the "+string(item.Outcome)+" of "+position.String()+" should")
				return
			}
			told = append(told, Told{Item: i, Name: m.Name})
			if m.Quarantined {
				f.Notices++
				continue
			}
			f.Events++
			if other := facts[m.Name]; other != "" {
				c.report(FactHasOneEvent, "%s (cursor %d) of %q is the name of %q, too", m.Name, m.Cursor, item.Fact, other)
			}
			names[item.Fact], facts[m.Name] = m.Name, item.Fact
		}
		c.outcomes(s.Position, told)
	}
	if len(rest) > 0 {
		c.misplaced(rest[0], names, "stands behind the last message that the ledger gives")
	}
}

// outcomes compares what the read API tells of a delivery with what it became.
func (c *checker) outcomes(at Position, want []Told) {
	got, ok := c.h.Told[at]
	switch {
	case !ok:
		c.report(OutcomeIsTold, "deliveries/d%d-%d is not told of", at.Commit, at.Delivery)
	case !slices.Equal(got, want):
		c.report(OutcomeIsTold, "deliveries/d%d-%d became %v, the read API says %v", at.Commit, at.Delivery, want, got)
	}
}

// misplaced reports a message that should not be where it is. After it nothing
// can be judged: all that follow are off, too.
func (c *checker) misplaced(m Message, names map[string]string, where string) {
	fact := c.fact(m.Position)
	if name := names[fact]; name != "" && !m.Quarantined {
		c.report(FactHasOneEvent, "%s (cursor %d) is one more event of %q, which is %s", m.Name, m.Cursor, fact, name)
		return
	}
	c.report(ItemIsProjected, "%s (cursor %d) of %v %s", m.Name, m.Cursor, m.Position, where)
}

// fact returns the fact at a place in the ledger, "" when there is none.
func (c *checker) fact(at Position) string {
	delivery := at
	delivery.Item = 0
	for _, s := range c.h.Ledger {
		if sent := c.h.Sent[s.Body]; s.Position == delivery && sent != nil && at.Item < len(sent.Items) {
			return sent.Items[at.Item].Fact
		}
	}
	return ""
}
