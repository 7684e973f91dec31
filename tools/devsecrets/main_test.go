package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

// example is the example configuration beside freshly made secrets.
func example(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text, err := os.ReadFile("../../examples/paynorm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "paynorm.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(filepath.Join(dir, "secrets"), io.Discard); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExampleConfigurationFindsItsSecrets(t *testing.T) {
	dir := example(t)
	cfg, err := config.Load(filepath.Join(dir, "paynorm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "secrets", "qitech-private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := simulator.ParseSigningKey(text)
	if err != nil {
		t.Fatal(err)
	}
	noEnv := func(string) (string, bool) { return "", false }
	for _, id := range simulator.Providers() {
		if _, err := simulator.New(simulator.Options{Config: cfg, Dir: dir, Provider: id, Getenv: noEnv, SigningKey: key}); err != nil {
			t.Error(err)
		}
	}
	for _, file := range (config.Secrets{Dir: dir, Getenv: noEnv}).Files(cfg) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want a file for its owner only", file, info, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v; want it for its owner only", info, err)
	}
}

func TestSecretsThatAreThereStay(t *testing.T) {
	dir := filepath.Join(example(t), "secrets")
	read := func() string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		return all.String()
	}
	before := read()
	var said strings.Builder
	if err := run(dir, &said); err != nil {
		t.Fatal(err)
	}
	if read() != before || said.String() != "" {
		t.Errorf("secrets were written again: %s", said.String())
	}

	// A public key that was lost is made again from the private one.
	if err := os.Remove(filepath.Join(dir, "qitech.pem")); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	if read() != before {
		t.Error("the public key does not belong to the private one")
	}

	// A public key without a private one is the provider's.
	if err := os.Remove(filepath.Join(dir, "qitech-private.pem")); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "qitech-private.pem")); !os.IsNotExist(err) {
		t.Error("a private key was made beside a foreign public one")
	}
}

func TestSecretsAreRandom(t *testing.T) {
	first, second := filepath.Join(example(t), "secrets"), filepath.Join(example(t), "secrets")
	entries, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, e := range entries {
		for _, dir := range []string{first, second} {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if other, twice := seen[string(text)]; twice {
				t.Errorf("%s equals %s", e.Name(), other)
			}
			seen[string(text)] = e.Name()
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d different secrets in two folders, want 14", len(seen))
	}
}
