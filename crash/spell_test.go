//go:build linux && (amd64 || arm64)

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPaynormBearsAFullDisk(t *testing.T) {
	o := shortRun(t, full)
	o.Cycles = 4 // one of them with a kill
	r, err := crash(t.Context(), o)
	check(t, r, err)
	if r.Writes == 0 || r.Sent.Refused == 0 || len(r.Relief) == 0 {
		t.Errorf("%d writes and %d webhooks were refused, with %d times of relief; want some of each", r.Writes, r.Sent.Refused, len(r.Relief))
	}
}

func TestPaynormBearsASlowDisk(t *testing.T) {
	o := shortRun(t, slow)
	o.Cycles = 4 // one of them with a kill, and one with a sync that takes too long
	r, err := crash(t.Context(), o)
	check(t, r, err)
	if r.Sent.Refused == 0 {
		t.Error("nothing was refused: no sync took too long")
	}
}

func TestSameSeedGivesTheSameSpells(t *testing.T) {
	for _, how := range []string{full, slow} {
		if diff := cmp.Diff(spells(7, 100, how), spells(7, 100, how), cmp.AllowUnexported(spell{})); diff != "" {
			t.Error(diff)
		}
	}
}
