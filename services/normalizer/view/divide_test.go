package view_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// The version before had 16 parts of keys. Of its keys, those of some parts are
// in the table, and all others have to be read back.
func TestKeysOfTheVersionBeforeAreKept(t *testing.T) {
	path, h, ctx := filepath.Join(t.TempDir(), "view.db"), dataset.New(1), context.Background()
	v, err := view.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	v.LimitMemory(0)
	var names []string
	for range 20 {
		b := h.Batch(20)
		apply(t, v, b)
		for _, e := range b.Events {
			names = append(names, e.GetName())
		}
	}
	apply(t, v, view.Batch{LedgerSequence: 1_000_000, Cursor: int64(len(names))}) // brings the last keys to the table
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, path, `
		UPDATE meta SET schema_version = 4;
		DELETE FROM parts;
		WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 15)
		INSERT INTO parts SELECT i, iif(i % 3 = 0, (SELECT max(cursor) FROM events), 0), iif(i % 3 = 0, (SELECT max(id) FROM payments), 0) FROM n;
		DELETE FROM keys WHERE (hash >> 60 & 15) % 3 != 0`)
	for range 2 { // as it is found, and as it was left
		if v, err = view.Open(ctx, path); err != nil {
			t.Fatal(err)
		}
		if seen, err := v.Seen(ctx, names); err != nil || len(seen) != len(names) {
			t.Errorf("%d of %d events are seen (%v)", len(seen), len(names), err)
		}
		v.LimitMemory(0)
		apply(t, v, h.Batch(1)) // a key that is in the table already cannot go there
		if v.InMemory() > 10 {
			t.Errorf("%d keys are in memory, want those of an event", v.InMemory())
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
