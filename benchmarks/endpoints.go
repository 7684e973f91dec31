package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/paynorm/paynorm/benchmarks/internal/mix"
)

// token is the secret in all URLs but those of [mix].
const token = "token-of-the-benchmarks"

// merchants are those that the deliveries are spread over.
func (p plan) merchants() []string {
	var all []string
	for i := range p.Merchants {
		all = append(all, fmt.Sprintf("acme-%d", i+1))
	}
	return all
}

// endpoints returns paynorm's endpoints, as a configuration has them, with
// their secrets in dir.
func (p plan) endpoints(dir string) ([]map[string]any, error) {
	if p.Providers == "all" {
		return mix.Endpoints(dir)
	}
	provider := "clip"
	if p.Batch > 0 {
		provider = "singleview"
	}
	file := filepath.Join(dir, "token")
	auth := []any{map[string]any{"url_token": map[string]any{"secret": map[string]any{"file": file}}}}
	var all []map[string]any
	for _, merchant := range p.merchants() {
		all = append(all, map[string]any{"provider": provider, "merchant": merchant, "mode": "live", "auth": auth})
	}
	return all, os.WriteFile(file, []byte(token), 0o600)
}
