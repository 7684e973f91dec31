package providertest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// checkResult checks what Normalize makes of the case.
func checkResult(t *testing.T, s Suite, c testCase) {
	r := s.Adapter.Normalize(c.unsigned(), bytes.Clone(c.body))
	compareGolden(t, c, encode(t, r))
	if want := c.delivery.Items; want != nil && len(r.Items) != *want {
		t.Errorf("%d items, want %d: nothing may get lost", len(r.Items), *want)
	}
	if c.delivery.Items == nil && len(r.Items) == 0 {
		t.Error(`no item; if the body holds none, say "items": 0 in delivery.json`)
	}
	checkItems(t, r)
	checkDescribed(t, s.Adapter.Describe(), r)
	checkEvents(t, s.Adapter, c.unsigned(), bytes.Clone(c.body))
	checkPrivacy(t, r, c.delivery.Absent)
}

// checkDescribed checks that keys and times are what the description says.
func checkDescribed(t *testing.T, d provider.Descriptor, r provider.Result) {
	for i, it := range r.Items {
		if it.Fact == nil {
			continue
		}
		if len(it.Fact.Key) != len(d.IdempotencyKey) {
			t.Errorf("item %d: the key has %d parts, the description names %q", i, len(it.Fact.Key), d.IdempotencyKey)
		}
		if member := it.Fact.Event.GetOccurTimeMember(); !strings.Contains(d.TimeMember, member) {
			t.Errorf("item %d: the time comes from %s, the description says %q", i, member, d.TimeMember)
		}
	}
}

// checkPure checks that Normalize depends on nothing but its arguments and changes none of them.
func checkPure(t *testing.T, s Suite, c testCase) {
	d, plaintext := c.unsigned(), bytes.Clone(c.body)
	first := encode(t, s.Adapter.Normalize(d, plaintext))
	if !bytes.Equal(plaintext, c.body) {
		t.Error("Normalize changed the plaintext")
	}
	if diff := cmp.Diff(c.unsigned(), d, cmp.Comparer(equalAddr)); diff != "" {
		t.Errorf("Normalize changed the delivery (-before +after):\n%s", diff)
	}
	// A result that points into the plaintext would change with it.
	kept := s.Adapter.Normalize(d, plaintext)
	clear(plaintext)
	if diff := cmp.Diff(string(first), string(encode(t, kept))); diff != "" {
		t.Errorf("two runs differ, or the result refers to the plaintext (-first +second):\n%s", diff)
	}
}

// checkTruncated cuts the body at every byte: Normalize must survive and must
// not take a part for the whole.
func checkTruncated(t *testing.T, s Suite, c testCase) {
	const sampleFrom = 4096 // larger bodies are cut at about that many places
	whole := bytes.TrimRight(c.body, " \t\r\n")
	d := c.unsigned()
	for n := 0; n < len(whole); n += 1 + len(whole)/sampleFrom {
		r := s.Adapter.Normalize(d, bytes.Clone(whole[:n]))
		if !quarantines(r) {
			t.Fatalf("cut after byte %d of %d: no item is quarantined", n, len(whole))
		}
	}
}

func quarantines(r provider.Result) bool {
	for _, it := range r.Items {
		if it.Quarantine != nil {
			return true
		}
	}
	return false
}
