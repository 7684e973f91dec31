package view_test

import (
	"context"
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// open opens a view that is closed with the test. In tests its memory for keys
// is short, so that they are found there and in the table.
func open(tb testing.TB, path string) *view.View {
	tb.Helper()
	v, err := view.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	if _, ok := tb.(*testing.T); ok {
		v.LimitMemory(160)
	}
	tb.Cleanup(func() {
		if err := v.Close(); err != nil {
			tb.Error(err)
		}
	})
	return v
}

func apply(tb testing.TB, v *view.View, b view.Batch) {
	tb.Helper()
	if err := v.Apply(context.Background(), b); err != nil {
		tb.Fatal(err)
	}
}

func parseEvents(tb testing.TB, in string) filter.Conditions {
	tb.Helper()
	c, err := filter.Events().Parse(in)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
