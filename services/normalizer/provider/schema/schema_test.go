package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/schema"
)

func documented() schema.Schema {
	return schema.New(
		schema.Member{Name: "id", Kinds: schema.Text},
		schema.Member{Name: "status", Kinds: schema.Text | schema.Number, Known: schema.OneOf("paid", "0")},
		schema.Member{Name: "paid", Kinds: schema.Bool},
		schema.Member{Name: "payer", Kinds: schema.Object},
		schema.Member{Name: "result", Kinds: schema.Object, Inner: []schema.Member{
			{Name: "code", Kinds: schema.Text},
			{Name: "random", Kinds: schema.Text, Prefix: true},
		}},
		schema.Member{Name: "lines", Kinds: schema.List, Inner: []schema.Member{{Name: "amount", Kinds: schema.Number}}},
	)
}

func TestDrift(t *testing.T) {
	tests := []struct {
		claim, body string
		want        []string
	}{
		{"what is documented is no drift", `{"id":"a","status":"paid","paid":true,"payer":{"x":1},"result":{"code":"c","random17":"r"},"lines":[{"amount":1}]}`, nil},
		{"members may come in any order, and be missing", `{"lines":[],"status":0}`, nil},
		{"null is no type", `{"id":null,"status":null,"result":null,"lines":null}`, nil},
		{"an empty word is no word", `{"status":""}`, nil},
		{"a member that is not documented", `{"id":"a","extra":1}`, []string{"extra"}},
		{"another case is another name", `{"ID":"a"}`, []string{"ID"}},
		{"a text that became a number", `{"id":7}`, []string{"id"}},
		{"a text that became an object", `{"id":{"value":"a"}}`, []string{"id"}},
		{"an object that became a text", `{"result":"c"}`, []string{"result"}},
		{"a list that became an object", `{"lines":{"amount":1}}`, []string{"lines"}},
		{"a word that is not documented", `{"status":"lost"}`, []string{"status"}},
		{"a number that is not documented", `{"status":1}`, []string{"status"}},
		{"inside an object", `{"result":{"code":1,"extra":1}}`, []string{"result.code", "result.extra"}},
		{"not inside one whose members are not documented", `{"payer":{"name":1}}`, nil},
		{"inside a list, each path once", `{"lines":[{"amount":"1","x":0},{"amount":"2","x":0}]}`, []string{"lines[].amount", "lines[].x"}},
		{"an element that is no object", `{"lines":[1]}`, []string{"lines[]"}},
		{"something other than an object has no members", `[{"extra":1}]`, nil},
		{"long names are cut", `{"` + strings.Repeat("x", 100) + `":1}`, []string{strings.Repeat("x", 64)}},
		{"a cut does not split a character", `{"` + strings.Repeat("x", 63) + `ñ":1}`, []string{strings.Repeat("x", 63)}},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, documented().Drift(parse(t, tt.body))); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDriftIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, `"m%d":0,`, i)
	}
	if got := len(documented().Drift(parse(t, "{"+many.String()+`"id":"a"}`))); got != schema.MaxDrift {
		t.Errorf("%d paths, want %d", got, schema.MaxDrift)
	}
}

func TestZeroSchemaDocumentsNothing(t *testing.T) {
	if diff := cmp.Diff([]string{"id"}, schema.Schema{}.Drift(parse(t, `{"id":"a"}`))); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func parse(t *testing.T, body string) payload.Value {
	t.Helper()
	v, err := payload.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
