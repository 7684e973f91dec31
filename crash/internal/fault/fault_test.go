package fault_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/history"
)

func TestFaultsFitTheSource(t *testing.T) {
	root, err := fault.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fault.All() {
		t.Run(f.Name, func(t *testing.T) {
			if texts, err := fault.Apply(root, slices.Concat(fault.FastMotion(), f.Changes)...); err != nil || len(texts) < 2 {
				t.Errorf("%d files are changed, %v", len(texts), err)
			}
		})
	}
}

func TestFaultIsFoundByItsRulesOnly(t *testing.T) {
	f, err := fault.Find("reused-version")
	if err != nil {
		t.Fatal(err)
	}
	version := &history.Violation{Rule: history.VersionsCount, Text: "version 1 again"}
	for name, c := range map[string]struct {
		err  error
		want *history.Violation
	}{
		"by its rule":      {errors.Join(history.Violations{{Rule: history.ViewIsStream}, version}, errors.New("more")), version},
		"by another rule":  {history.Violations{{Rule: history.ViewIsStream}}, nil},
		"not by any error": {errors.New("no space left"), nil},
		"nothing is wrong": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.Found(c.err); got != c.want {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestUnknownFaultIsRefused(t *testing.T) {
	if _, err := fault.Find("no-such"); err == nil {
		t.Error("found")
	}
}
