package simulator_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// counting is randomness without surprises: 00, 01, 02 and so on.
type counting struct{}

func (counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// The golden files are the webhooks as the providers document them; a change in
// them is to be read against the documentation.
func TestBodiesHaveTheDocumentedShape(t *testing.T) {
	key := newKey(t, elliptic.P521())
	for _, id := range simulator.Providers() {
		o := options(t, id, key)
		o.Rand = counting{}
		s := newSimulator(t, o)
		var got bytes.Buffer
		for _, c := range simulator.Cases(id) {
			req, body := request(t, s, c.Name, simulator.IDs{})
			got.WriteString("# " + c.Name + ": " + c.Title + "\n")
			if err := json.Indent(&got, plaintext(t, id, req, body), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteString("\n")
		}
		path := filepath.Join("testdata", id+".golden")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}
