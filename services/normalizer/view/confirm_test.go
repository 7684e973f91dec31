package view_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func TestWhatIsNotConfirmedIsTakenBack(t *testing.T) {
	v, h, ctx := open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(1), context.Background()
	v.LimitMemory(0) // keys of the batch before go to the table
	apply(t, v, h.Batch(20))
	before, inMemory := position(t, v), v.InMemory()

	b, refused := h.Batch(20), errors.New("refused")
	var names []string
	for _, e := range b.Events {
		names = append(names, e.GetName())
	}
	b.Confirm = func() error {
		if got := position(t, v); got != before {
			t.Errorf("readers are at %+v before it is confirmed, want %+v", got, before)
		}
		return refused
	}
	for range 2 {
		if err := v.Apply(ctx, b); !errors.Is(err, refused) {
			t.Fatalf("Apply = %v, want %v", err, refused)
		}
		if got := position(t, v); got != before || v.InMemory() != inMemory {
			t.Errorf("at %+v with %d keys in memory, want %+v and %d", got, v.InMemory(), before, inMemory)
		}
		if seen, err := v.Seen(ctx, names); err != nil || len(seen) != 0 {
			t.Errorf("%d events are seen that were refused (%v)", len(seen), err)
		}
	}

	confirmed := 0
	b.Confirm = func() error { confirmed++; return nil }
	apply(t, v, b)
	got, err := v.EventsAfter(ctx, before.Cursor, nil, len(b.Events))
	if diff := cmp.Diff(b.Events, got, protocmp.Transform()); diff != "" || err != nil || confirmed != 1 {
		t.Errorf("confirmed %d times; events (-want +got, %v):\n%s", confirmed, err, diff)
	}
	states, err := v.States(ctx, payments(b))
	if diff := cmp.Diff(b.States, states, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("States (-want +got, %v):\n%s", err, diff)
	}
	apply(t, v, h.Batch(1)) // takes its keys to the table
}

func position(t *testing.T, v *view.View) view.Position {
	t.Helper()
	at, err := v.Position(context.Background())
	if err != nil {
		t.Error(err)
	}
	return at
}

func payments(b view.Batch) (names []string) {
	for _, e := range b.Events {
		names = append(names, e.GetPayment())
	}
	return names
}
