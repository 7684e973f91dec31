// Command providerdocs writes one page for each provider from what its adapter
// says of itself, so that the pages cannot say anything else.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/paynorm/paynorm/services/normalizer/providers"
)

func main() {
	out := flag.String("o", "docs/providers", "folder to write to")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "providerdocs:", err)
		os.Exit(1)
	}
}

// run writes the pages below dir.
func run(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range pages() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pages are the texts of all pages by file name.
func pages() map[string]string {
	all := map[string]string{}
	for _, a := range providers.All() {
		d := a.Describe()
		all[d.ID+".md"] = page(d)
	}
	return all
}
