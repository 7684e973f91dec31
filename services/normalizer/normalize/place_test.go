package normalize_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/normalize"
)

func TestDeliveryNameTellsItsPlace(t *testing.T) {
	for _, want := range []normalize.Place{{Sequence: 1}, {Sequence: 12, Index: 4095}, {Sequence: 1 << 40, Index: 7}} {
		got, ok := normalize.ParseDelivery(want.Delivery())
		if !ok || got != want {
			t.Errorf("%s is read as %+v (%v), want %+v", want.Delivery(), got, ok, want)
		}
	}
	for _, name := range []string{
		"", "deliveries/", "deliveries/d", "deliveries/d1", "deliveries/d1-", "deliveries/d-1-0", "deliveries/d0-0", "deliveries/d1--1",
		"deliveries/d01-0", "deliveries/d1-00", "deliveries/d+1-0", "deliveries/d1-0 ", "deliveries/d99999999999999999999-0", "events/d1-0",
	} {
		if got, ok := normalize.ParseDelivery(name); ok {
			t.Errorf("%q is read as %+v", name, got)
		}
	}
}

func TestCorrectionHasANameOfItsOwnForEachCommand(t *testing.T) {
	seen := map[string]bool{"events/e1": true}
	for _, of := range []string{"events/e1", "events/e2"} {
		for sequence := range int64(3) {
			name := normalize.CorrectionName(of, sequence)
			if seen[name] || len(name) != len("events/e")+32 {
				t.Errorf("the correction of %s by commit %d is named %s", of, sequence, name)
			}
			seen[name] = true
		}
	}
	if got, want := normalize.CorrectionName("events/e1", 7), "events/e"; got == want || got[:len(want)] != want {
		t.Errorf("the name is %s", got)
	}
}
