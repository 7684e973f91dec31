package providertest_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

const page = "../../../../docs/conformance.md"

// TestConformancePage checks that the tables of the page are those of the
// suite. "go test -golden" writes them.
func TestConformancePage(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	checks, faults := "| check | what must hold |\n| --- | --- |\n", "| planted fault | caught by |\n| --- | --- |\n"
	for _, c := range providertest.Checks() {
		checks += "| `" + c.Name + "` | " + c.Claim + " |\n"
	}
	for _, m := range mutants() {
		faults += "| " + strings.ReplaceAll(m.name, "_", " ") + " | `" + m.check + "`" + saying(m) + " |\n"
	}
	want := between(t, between(t, string(data), "checks", checks), "faults", faults)
	if flag.Lookup("golden").Value.String() == "true" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("the page differs from the suite; write it with go test -golden (-want +got):\n%s", diff)
	}
}

// between replaces what stands between the two marks of that name.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	before, rest, begun := strings.Cut(text, "<!-- "+name+" -->\n")
	_, after, ended := strings.Cut(rest, "<!-- end of "+name+" -->\n")
	if !begun || !ended {
		t.Fatalf("the page has no marks for the %s", name)
	}
	return before + "<!-- " + name + " -->\n" + table + "<!-- end of " + name + " -->\n" + after
}

// saying is what the check says, for the table.
func saying(m mutant) string {
	if m.says == "" {
		return ""
	}
	return ": " + m.says
}
