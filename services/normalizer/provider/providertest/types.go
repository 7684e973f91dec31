package providertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// changedValue is a value that may show nowhere: drift is told by names.
const changedValue = "paynorm conformance value"

// checkChangedTypes gives each documented member another type, in the first
// case that has it and holds a fact: providers do that, too. A member counts as
// documented unless the untouched case reports it as drift.
func checkChangedTypes(t *testing.T, s Suite, cases []testCase) {
	seen := map[string]bool{}
	named := false
	for _, c := range cases {
		before := s.Adapter.Normalize(c.unsigned(), bytes.Clone(c.body))
		if !hasFact(before) {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(c.body))
		dec.UseNumber()
		var root map[string]any
		if err := dec.Decode(&root); err != nil {
			t.Fatalf("case %s holds a fact and is no JSON object: %v", c.name, err)
		}
		changer{s, c, root, before.Drift, completed(s.Adapter, c.unsigned(), c.body), seen, &named}.object(t, root, "")
	}
	if !named {
		t.Error("no quarantined item names its payment, whatever member is changed")
	}
}

// changer changes one member of root at a time.
type changer struct {
	s     Suite
	c     testCase
	root  map[string]any
	drift []string         // of the untouched case
	items []normalize.Item // of the untouched case
	seen  map[string]bool  // paths that were changed before
	named *bool            // a quarantined item named its payment
}

// object changes the members of one object of root.
func (ch changer) object(t *testing.T, object map[string]any, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		path, value := prefix+name, object[name]
		if value == nil || slices.Contains(ch.drift, path) {
			continue
		}
		if !ch.seen[path] {
			ch.seen[path] = true
			for _, other := range otherTypes(value) {
				object[name] = other
				ch.check(t, path)
			}
			object[name] = value
		}
		if inner, inside := objectIn(value, path); inner != nil && ch.documents(t, inner) {
			ch.object(t, inner, inside)
		}
	}
}

// otherTypes returns values of types that value does not have. Texts and
// numbers are not exchanged: some providers document either.
func otherTypes(value any) []any {
	list, object := []any{changedValue}, map[string]any{"changed": changedValue}
	switch value.(type) {
	case []any:
		return []any{changedValue, true, object}
	case map[string]any:
		return []any{changedValue, true, list}
	case bool:
		return []any{changedValue, list, object}
	default:
		return []any{true, list, object}
	}
}

// objectIn returns the object that value is, or the first one in the list that
// it is, and what the paths of its members begin with.
func objectIn(value any, path string) (object map[string]any, prefix string) {
	switch v := value.(type) {
	case map[string]any:
		return v, path + "."
	case []any:
		if len(v) > 0 {
			object, _ = v[0].(map[string]any)
		}
		return object, path + "[]."
	}
	return nil, ""
}

// documents reports whether the adapter knows the members of an object of
// root: then it reports one that is not among them.
func (ch changer) documents(t *testing.T, object map[string]any) bool {
	object[unknownMember] = true
	defer delete(object, unknownMember)
	return slices.ContainsFunc(ch.normalize(t).Drift, func(path string) bool { return strings.HasSuffix(path, unknownMember) })
}

// check checks what becomes of root with the member at path changed.
func (ch changer) check(t *testing.T, path string) {
	t.Helper()
	r := ch.normalize(t)
	told := slices.ContainsFunc(r.Drift, func(p string) bool { return tells(p, path) })
	if !told && !quarantines(r) {
		t.Errorf("case %s: %s has another type, and is neither in drift %q nor quarantined", ch.c.name, path, r.Drift)
	}
	checkItems(t, r)
	checkPrivacy(t, r, []string{changedValue})
	ch.checkPayment(t, path)
}

// checkPayment checks that a notice names the payment of the event that the item
// was before the change, or none.
func (ch changer) checkPayment(t *testing.T, path string) {
	t.Helper()
	for i, it := range completed(ch.s.Adapter, ch.c.unsigned(), ch.body(t)) {
		if it.Notice.GetPayment() == "" {
			continue
		}
		*ch.named = true
		if want := ch.items[i].Event.GetPayment(); it.Notice.GetPayment() != want {
			t.Errorf("case %s: %s has another type, and the notice of item %d is about %s instead of %q", ch.c.name, path, i, it.Notice.GetPayment(), want)
		}
	}
}

func (ch changer) body(t *testing.T) []byte {
	t.Helper()
	body, err := json.Marshal(ch.root)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (ch changer) normalize(t *testing.T) provider.Result {
	t.Helper()
	return ch.s.Adapter.Normalize(ch.c.unsigned(), ch.body(t))
}

// tells reports whether drift is about the member at path: it is the path, lies
// below it, or is what the names of a numbered family begin with.
func tells(drift, path string) bool {
	number, family := strings.CutPrefix(path, drift)
	return family && strings.Trim(number, "0123456789") == "" ||
		strings.HasPrefix(drift, path+".") || strings.HasPrefix(drift, path+"[]")
}
