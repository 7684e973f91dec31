package providertest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

const unknownMember = "paynorm_conformance_member"

// checkUnknownMember adds a member that no documentation names: providers do
// that without notice. Then it adds more of them than anybody wants to read.
func checkUnknownMember(t *testing.T, s Suite, c testCase) {
	v, err := payload.ParseObject(c.body)
	if err != nil {
		return // quarantined whatever its members; the golden file says so
	}
	before := s.Adapter.Normalize(c.unsigned(), bytes.Clone(c.body))
	after := s.Adapter.Normalize(c.unsigned(), withMembers(c.body, v, `"`+unknownMember+`":{"status":["PAID"]}`))
	reported := slices.ContainsFunc(after.Drift, func(name string) bool { return strings.HasSuffix(name, unknownMember) })
	if hasFact(before) && !reported {
		t.Errorf("drift %q does not report the unknown member", after.Drift)
	}
	before.Drift, after.Drift = nil, nil
	if diff := cmp.Diff(string(encode(t, before)), string(encode(t, after))); diff != "" {
		t.Errorf("an unknown member changes the result (-without +with):\n%s", diff)
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("%q:0", unknownMember+fmt.Sprint(i)))
	}
	if n := len(s.Adapter.Normalize(c.unsigned(), withMembers(c.body, v, many...)).Drift); n > schema.MaxDrift {
		t.Errorf("%d members in drift, want %d at most", n, schema.MaxDrift)
	}
}

// withMembers puts members in front of those of body, which is the object v.
func withMembers(body []byte, v payload.Value, members ...string) []byte {
	front := "{" + strings.Join(members, ",")
	for range v.Members() {
		front += ","
		break
	}
	return append([]byte(front), bytes.TrimLeft(body, " \t\r\n")[1:]...)
}

func hasFact(r provider.Result) bool {
	for _, it := range r.Items {
		if it.Fact != nil {
			return true
		}
	}
	return false
}
