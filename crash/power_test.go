//go:build linux && (amd64 || arm64)

package main

import (
	"testing"

	"github.com/paynorm/paynorm/crash/internal/fault"
)

func TestPowerCutTakesNothingThatWasPromised(t *testing.T) {
	r, err := crash(t.Context(), shortRun(t, power))
	check(t, r, err)
	if r.Cut.LostBytes == 0 {
		t.Error("the power cuts took nothing")
	}
}

// The test above could not fail if this one did not find something.
func TestPowerCutFindsLossWithoutSync(t *testing.T) {
	o := shortRun(t, power)
	var err error
	if o.Fault, err = fault.Find("no-sync"); err != nil {
		t.Fatal(err)
	}
	r, err := crash(t.Context(), o)
	if o.Fault.Found(err) == nil || r.History.Lost == 0 {
		t.Errorf("%d acknowledged deliveries are lost (%v); want some, and to be told", r.History.Lost, err)
	}
}
