package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnswersOfTheCookbook runs every command of docs/debugging.md against a real
// site with the webhooks that the page sends, and compares what it prints.
func TestAnswersOfTheCookbook(t *testing.T) {
	const questions = 20 // that the page promises to answer, at least
	text, err := os.ReadFile("../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n### "); n < questions {
		t.Errorf("%d questions, want at least %d", n, questions)
	}
	d := newDemo(t)
	d.run(t, blocks(t, "docs/debugging.md"))
	d.finish(t)
	d.atLeast(t, map[string]int{"server": 1, "once": 2, "background": 5, "run": questions})
}

func TestShownOutputStandsForWhatIsPrinted(t *testing.T) {
	const page = "name: …, kind\n…\nlast (1)\n"
	d := &demo{local: strings.NewReplacer()}
	for _, c := range []struct {
		name, out string
		ok        bool
	}{
		{"no line between", "name: x, kind\nlast (1)", true},
		{"lines around and between", "first\nname: x, kind\na\nb\nlast (1)\nmore\n", true},
		{"another text in a line", "name: x, sort\nlast (1)\n", false},
		{"a line that is broken", "name: x\n, kind\nlast (1)\n", false},
		{"a line that begins otherwise", "the name: x, kind\nlast (1)\n", false},
		{"another last line", "name: x, kind\nlast 1\n", false},
		{"a longer last line", "name: x, kind\nlast (1) of 2\n", false},
		{"nothing", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := d.matches(block{shown: page}, c.out); (err == nil) != c.ok {
				t.Errorf("got %v, want a match: %v", err, c.ok)
			}
		})
	}
}

// TestCommandsOfTheRunbookWork runs the commands of docs/operations.md, from the
// first start over backup, restore and rebuilding to an erasure.
func TestCommandsOfTheRunbookWork(t *testing.T) {
	d := newDemo(t)
	d.run(t, blocks(t, "docs/operations.md"))
	d.finish(t)
	d.atLeast(t, map[string]int{"server": 3, "stop": 2, "reload": 1, "config": 2, "once": 5, "run": 5})
}

// Each alert is explained, and each explanation is of an alert.
func TestRunbookExplainsEachAlert(t *testing.T) {
	alerts, err := os.ReadFile("../observability/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	want := names(regexp.MustCompile(`- alert: (\w+)`), alerts)
	got := names(regexp.MustCompile(`\n### (Paynorm\w+)\n`), runbook)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("alerts that are explained (-want +got):\n%s", diff)
	}
}

// names returns what the first group of re matches in text, sorted.
func names(re *regexp.Regexp, text []byte) []string {
	var all []string
	for _, m := range re.FindAllSubmatch(text, -1) {
		all = append(all, string(m[1]))
	}
	slices.Sort(all)
	return all
}

// Links of the pages lead to files that are there.
func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range []string{
		"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/debugging.md", "docs/operations.md",
		"docs/console.md", "docs/consumers.md", "docs/durability.md", "docs/conformance.md",
	} {
		text, err := os.ReadFile(filepath.Join("..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(page), string(m[1]))); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// What the example configuration has as a comment is valid when it is switched on.
func TestCommentsOfTheExampleConfigurationAreValid(t *testing.T) {
	text, err := os.ReadFile("../examples/paynorm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: [\[{].*)$`)
	found := commented.FindAllSubmatch(text, -1)
	for _, setting := range []string{"access", "users", "tls", "retention", "encryption", "tracing"} {
		if !slices.ContainsFunc(found, func(m [][]byte) bool { return strings.HasPrefix(string(m[2]), setting+": ") }) {
			t.Errorf("the example does not show %s", setting)
		}
	}
	file := filepath.Join(t.TempDir(), "paynorm.yaml")
	if err := os.WriteFile(file, commented.ReplaceAll(text, []byte("$1$2")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), programs(t).paynorm, "nats", "permissions", "--config", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "books-acme") {
		t.Errorf("%v\n%s", err, out)
	}
}
