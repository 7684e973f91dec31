package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/providers"
)

const folder = "../../docs/providers"

func TestCommittedPagesAreWhatTheAdaptersSay(t *testing.T) {
	want := pages()
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[name], string(data)); diff != "" {
			t.Errorf("%s is not what its adapter says; run go run ./tools/providerdocs -o docs/providers (-want +got):\n%s", name, diff)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing; run go run ./tools/providerdocs -o docs/providers", name)
	}
}

func TestRunWritesOnePageForEachProvider(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, a := range providers.All() {
		d := a.Describe()
		data, err := os.ReadFile(filepath.Join(dir, d.ID+".md"))
		if err != nil || !strings.Contains(string(data), "\n# "+d.Title+"\n") {
			t.Errorf("%s: %v, %.200s", d.ID, err, data)
		}
	}
}

// What the pages tell people to paste must be valid, for the provider, and
// name only kinds of authentication that it has.
func TestEndpointsOfThePagesAreConfigurations(t *testing.T) {
	for _, a := range providers.All() {
		d := a.Describe()
		cfg, err := config.Parse(d.ID+".yaml", []byte("endpoints:\n"+indent(d.Endpoint)))
		if err != nil {
			t.Errorf("%s: %v", d.ID, err)
			continue
		}
		if len(cfg.GetEndpoints()) != 1 || cfg.GetEndpoints()[0].GetProvider() != d.ID {
			t.Errorf("%s: got %v, want one endpoint of the provider", d.ID, cfg.GetEndpoints())
			continue
		}
		for _, auth := range cfg.GetEndpoints()[0].GetAuth() {
			m := auth.ProtoReflect()
			kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")).Name()
			if !slices.Contains(d.Schemes, provider.SchemeKind(kind)) {
				t.Errorf("%s: the page shows %s, the provider has %v", d.ID, kind, d.Schemes)
			}
		}
	}
}

func TestPatternsStayInTheirCell(t *testing.T) {
	got := cell(`PA / success ^(000\.[36]|000\.100\.1)$`)
	if want := "`PA / success ^(000\\.[36]\\|000\\.100\\.1)$`"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
