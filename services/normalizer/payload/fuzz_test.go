package payload_test

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/paynorm/paynorm/services/normalizer/payload"
)

// FuzzParse checks that whatever is taken is one JSON value in valid UTF-8 with
// names that do not repeat, and that it is read the same way twice.
func FuzzParse(f *testing.F) {
	for _, body := range []string{`{}`, `{"a":1,"a":2}`, `{"a":{"b":[1,"x",null,true,350.00]}}`, `{"a":"\ud800"}`, "\ufeff{}", `[1,]`, `{"a":00}`, nested(40), `{} x`, `{"a":[{"b":1,"b":1},{"b":2}]}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		batch, batchErr := payload.ParseBatch(body, "a", "c")
		walk(t, batch, 0)
		v, err := payload.Parse(body)
		if err != nil {
			return
		}
		if isObject := v.Kind() == payload.Object; isObject != (batchErr == nil) || isObject && !reflect.DeepEqual(v, batch) {
			t.Errorf("read as a batch, it differs: %v", batchErr)
		}
		if !utf8.Valid(body) {
			t.Error("took what is not UTF-8")
		}
		walk(t, v, 0)
		if v.Kind() == payload.Missing {
			t.Error("a value that is there is missing")
		}
		// Not cmp.Equal: its time doubles with each level of nesting.
		again, err := payload.Parse(body)
		if err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("read twice, it differs: %v", err)
		}
	})
}

func walk(t *testing.T, v payload.Value, depth int) {
	t.Helper()
	if depth > payload.MaxDepth {
		t.Fatalf("a value at depth %d", depth)
	}
	seen := map[string]bool{}
	for name, member := range v.Members() {
		if seen[name] || !utf8.ValidString(name) {
			t.Fatalf("name %q repeats or is not UTF-8", name)
		}
		seen[name] = true
		walk(t, member, depth+1)
	}
	for _, e := range v.Elements() {
		walk(t, e, depth+1)
	}
	if s, ok := v.Text(); ok && !utf8.ValidString(s) {
		t.Fatalf("text %q is not UTF-8", s)
	}
}
