package providertest

import (
	"bytes"
	"testing"
)

// benchSize is about how long the clear bodies of benchmarks are, in bytes.
const benchSize = 1024

// BenchmarkVerify measures Verify on the case of that name, signed with the
// second key of the rotation.
func BenchmarkVerify(b *testing.B, s Suite, name string) {
	c := benchCase(b, s, name)
	d := c.signed(b, s, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Adapter.Verify(d, s.Keys); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNormalize measures Normalize on the case of that name, which must
// hold facts only.
func BenchmarkNormalize(b *testing.B, s Suite, name string) {
	c := benchCase(b, s, name)
	d := c.unsigned()
	b.ReportAllocs()
	for b.Loop() {
		for _, it := range s.Adapter.Normalize(d, c.body).Items {
			if it.Fact == nil {
				b.Fatal("an item is no fact")
			}
		}
	}
}

// benchCase returns the case, its body padded with blanks to benchSize, as a
// provider that indents would send it.
func benchCase(b *testing.B, s Suite, name string) testCase {
	b.Helper()
	for _, c := range load(b, s.Adapter) {
		if c.name != name {
			continue
		}
		end := bytes.LastIndexByte(c.body, '}')
		pad := max(0, benchSize-len(c.body))
		c.body = append(append(bytes.Clone(c.body[:end]), bytes.Repeat([]byte(" "), pad)...), c.body[end:]...)
		return c
	}
	b.Fatalf("no case %s", name)
	return testCase{}
}
