package providertest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// FuzzVerify looks for a delivery that panics, passes without keys, or passes
// with a body that was never signed. It starts from all cases, signed.
func FuzzVerify(f *testing.F, s Suite) {
	cases := load(f, s.Adapter)
	var known [][]byte
	for _, c := range cases {
		d := c.signed(f, s, 0)
		known = append(known, c.body)
		f.Add(d.Body, d.RawQuery, proof(s, d), d.ReceivedAt.Unix())
	}
	f.Fuzz(func(t *testing.T, body []byte, query, headers string, received int64) {
		d := cases[0].unsigned()
		d.Body, d.RawQuery, d.ReceivedAt = body, query, time.Unix(received, 0).UTC()
		for i, value := range strings.Split(headers, "\n") {
			if i < len(s.SignedHeaders) {
				d.Headers = append(d.Headers, provider.Header{Name: s.SignedHeaders[i], Value: value})
			}
		}
		for _, keys := range []provider.Keys{{}, emptied(s.Keys)} {
			if _, err := s.Adapter.Verify(d, keys); err == nil {
				t.Error("accepted without a key")
			}
		}
		v, err := s.Adapter.Verify(d, s.Keys)
		if err != nil && !errors.Is(err, provider.ErrNotAuthentic) && !errors.Is(err, provider.ErrUndecodable) {
			t.Errorf("error of no class: %v", err)
		}
		signed := slices.ContainsFunc(known, func(b []byte) bool { return bytes.Equal(b, v.Plaintext) })
		if err == nil && s.SignsBody && !signed {
			t.Error("accepted a body that nobody signed")
		}
	})
}

// proof joins the values of the signed headers.
func proof(s Suite, d provider.Delivery) string {
	values := make([]string, len(s.SignedHeaders))
	for i, name := range s.SignedHeaders {
		values[i], _ = d.Header(name)
	}
	return strings.Join(values, "\n")
}

// FuzzNormalize looks for a body that panics, is lost, gives two results, or
// gives an event that is not valid. It starts from all cases.
func FuzzNormalize(f *testing.F, s Suite) {
	cases := load(f, s.Adapter)
	for _, c := range cases {
		f.Add(c.body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := cases[0].unsigned()
		r := s.Adapter.Normalize(d, bytes.Clone(body))
		if diff := cmp.Diff(string(encode(t, r)), string(encode(t, s.Adapter.Normalize(d, bytes.Clone(body))))); diff != "" {
			t.Errorf("two runs differ (-first +second):\n%s", diff)
		}
		if _, err := payload.ParseObject(body); err != nil && !quarantines(r) {
			t.Errorf("malformed, but not quarantined: %v", err)
		}
		checkItems(t, r)
		checkEvents(t, s.Adapter, d, bytes.Clone(body))
	})
}
