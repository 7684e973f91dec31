package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/internal/config"
)

// FuzzParse looks for files that make reading them panic, and for errors that
// do not say where: every problem has a place in the file and fits on one line.
func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(full))
	for _, text := range []string{"", "http:\n  address:", "a: &x [*x]\n", "endpoints: [{auth: [{none: {}}, {}]}]", "---\n...\n", "? [a]\n: b\n", "!!map {}\n", "data_dir: |\n  x\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := config.Parse("c.yaml", []byte(text))
		if err == nil {
			if cfg.GetHttp().GetAddress() == "" || cfg.GetNats().GetReplicas() == 0 {
				t.Errorf("defaults are missing: %v", cfg)
			}
			return
		}
		var list *config.Error
		if !errors.As(err, &list) || len(list.Problems) == 0 {
			t.Fatalf("got %v, want *config.Error with problems", err)
		}
		lines := 2 + strings.Count(text, "\n") // the last one is where a file without a last line feed goes on
		for _, p := range list.Problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" || strings.Contains(p.Error(), "\n") {
				t.Errorf("%#v is not one problem on one of %d lines", p, lines)
			}
		}
	})
}
