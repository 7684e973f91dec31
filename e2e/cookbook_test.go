package e2e

import (
	"os"
	"strings"
	"testing"
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
