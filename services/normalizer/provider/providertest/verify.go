package providertest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// checkAccepted checks that the untouched case is accepted at its own time with
// either key, and that Verify gives back the clear body.
func checkAccepted(t *testing.T, s Suite, c testCase) {
	var ids []string
	for key := range 2 {
		d := c.signed(t, s, key)
		before := clone(d)
		v, err := s.Adapter.Verify(d, s.Keys)
		if err != nil {
			t.Fatalf("key %d: %v", key, err)
		}
		if !bytes.Equal(v.Plaintext, c.body) {
			t.Errorf("key %d: the plaintext is not the clear body", key)
		}
		if v.Scheme == "" || v.KeyID == "" || v.Coverage == eventv1.Coverage_COVERAGE_UNSPECIFIED {
			t.Errorf("key %d: scheme %q, key %q and coverage %s must be told", key, v.Scheme, v.KeyID, v.Coverage)
		}
		if diff := cmp.Diff(before, d, cmp.Comparer(equalAddr)); diff != "" {
			t.Errorf("key %d: Verify changed the delivery (-before +after):\n%s", key, diff)
		}
		ids = append(ids, v.KeyID)
	}
	if ids[0] == ids[1] {
		t.Errorf("both keys are reported as %q", ids[0])
	}
}

// checkRefused checks everything that must not pass.
func checkRefused(t *testing.T, s Suite, c testCase) {
	d := c.signed(t, s, 0)
	notAuthentic := func(what string, d provider.Delivery, keys provider.Keys) {
		t.Helper()
		if _, err := s.Adapter.Verify(d, keys); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%s: got %v, want ErrNotAuthentic", what, err)
		}
	}
	notAuthentic("no keys", d, provider.Keys{})
	notAuthentic("a key that is not configured", c.signed(t, s, 2), s.Keys)
	refuse(t, s, "empty keys", d, emptied(s.Keys))
	refuse(t, s, "an empty proof with empty keys", forged(s, d), emptied(s.Keys))
	refuse(t, s, "an empty proof", forged(s, d), s.Keys)
	refuse(t, s, "no proof", c.unsigned(), s.Keys)
	if s.SignsTime {
		for _, shift := range []time.Duration{-time.Hour, time.Hour} {
			moved := clone(d)
			moved.ReceivedAt = d.ReceivedAt.Add(shift)
			notAuthentic("received at another time: "+shift.String(), moved, s.Keys)
		}
	}
	checkFlipped(t, s, d)
	for _, name := range s.SignedHeaders {
		i := headerIndex(t, d, name)
		twice := clone(d)
		twice.Headers = append(twice.Headers, provider.Header{Name: name, Value: "another"})
		refuse(t, s, "two headers "+name, twice, s.Keys)
		without := clone(d)
		without.Headers = slices.Delete(without.Headers, i, i+1)
		refuse(t, s, "no header "+name, without, s.Keys)
	}
}

// checkFlipped changes one byte at a time of whatever the scheme covers.
func checkFlipped(t *testing.T, s Suite, d provider.Delivery) {
	t.Helper()
	if s.SignsBody {
		for _, i := range positions(len(d.Body)) {
			f := clone(d)
			f.Body[i] ^= 1
			refuse(t, s, "a flipped byte in the body", f, s.Keys)
		}
	}
	for _, name := range s.SignedHeaders {
		h := headerIndex(t, d, name)
		for _, i := range positions(len(d.Headers[h].Value)) {
			f := clone(d)
			f.Headers[h].Value = flip(f.Headers[h].Value, i)
			refuse(t, s, "a flipped byte in the header "+name, f, s.Keys)
		}
	}
	if start, end, ok := tokenSpan(d.RawQuery); ok {
		for i := start; i < end; i++ {
			f := clone(d)
			f.RawQuery = flip(f.RawQuery, i)
			refuse(t, s, "a flipped byte in the token of the query", f, s.Keys)
		}
	}
}

// refuse checks that d does not pass, for whichever of the two reasons.
func refuse(t *testing.T, s Suite, what string, d provider.Delivery, keys provider.Keys) {
	t.Helper()
	_, err := s.Adapter.Verify(d, keys)
	if !errors.Is(err, provider.ErrNotAuthentic) && !errors.Is(err, provider.ErrUndecodable) {
		t.Errorf("%s: got %v, want it refused", what, err)
	}
}

// positions returns at most about 48 positions below n, the first and the last among them.
func positions(n int) []int {
	var at []int
	for i := 0; i < n; i += 1 + n/48 {
		at = append(at, i)
	}
	if n > 0 && at[len(at)-1] != n-1 {
		at = append(at, n-1)
	}
	return at
}

func flip(s string, i int) string {
	return s[:i] + string([]byte{s[i] ^ 1}) + s[i+1:]
}

func headerIndex(t *testing.T, d provider.Delivery, name string) int {
	t.Helper()
	i := slices.IndexFunc(d.Headers, func(h provider.Header) bool { return h.Name == name })
	if i < 0 {
		t.Fatalf("Sign did not add the header %s", name)
	}
	return i
}

// tokenSpan finds the value of the parameter "token", which stands last.
func tokenSpan(query string) (start, end int, ok bool) {
	before, _, ok := strings.Cut("&"+query, "&token=")
	if !ok {
		return 0, 0, false
	}
	start = len(before) + len("token=")
	length := strings.IndexByte(query[start:]+"&", '&')
	return start, start + length, true
}

func clone(d provider.Delivery) provider.Delivery {
	d.Headers = slices.Clone(d.Headers)
	d.Body = bytes.Clone(d.Body)
	return d
}
