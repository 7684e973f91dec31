//go:build linux

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/paynorm/paynorm/crash/internal/fault"
)

// bound is the most memory that paynorm may have, in bytes.
const bound = 300 << 20

// Less than a flood, and more than what may be in work: with nothing but a bound on
// the number of webhooks in work, paynorm needs more memory than it may have.
func TestMemoryStaysBelowTheBound(t *testing.T) {
	root, err := fault.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "paynorm")
	if err := fault.Build(t.Context(), root, program); err != nil {
		t.Fatal(err)
	}
	for _, l := range loads() {
		t.Run(l.name, func(t *testing.T) {
			l.connections, l.lasts = min(l.connections, 600), 3*time.Second
			f, err := l.offer(t.Context(), filepath.Join(t.TempDir(), "site"), program)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d acknowledged, %d refused, %d without an answer, %d bytes", f.acknowledged.Load(), f.refused.Load(), f.broken.Load(), f.peak)
			if f.peak > bound {
				t.Errorf("paynorm needed %d bytes, want at most %d", f.peak, bound)
			}
			if !l.stops && f.broken.Load() > 0 {
				t.Errorf("%d requests had no answer", f.broken.Load())
			}
			if l.name == "large" && f.refused.Load() == 0 {
				t.Error("nothing was refused, so the bound was not put to the test")
			}
		})
	}
}
