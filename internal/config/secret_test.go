package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

func TestSecretFileStartsAtTheFolderOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("a secret \t\r\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"token", filepath.Join(dir, "token")} {
		got, err := config.Secrets{Dir: dir}.Read(&configv1.Secret{Source: &configv1.Secret_File{File: file}})
		if err != nil || got != "a secret" {
			t.Errorf("%s: %d bytes, %v; want the secret without the white space at its end", file, len(got), err)
		}
	}
}

func TestSecretFilesOfAConfigurationAreListed(t *testing.T) {
	cfg, err := config.Parse("paynorm.yaml", []byte(`
endpoints:
  - provider: clip
    merchant: acme
    mode: live
    auth:
      - url_token: {secret: {file: a}}
      - aes_gcm: {key: {file: /b}}
      - jwt: {algorithm: ES512, public_key: {file: sub/c}}
      - oauth2: {client_id: x, client_secret: {file: d}}
      - header: {name: X, secret: {file: e}}
      - header: {name: X, secret: {env: F}}
      - source_ip: {cidrs: ["10.0.0.0/8"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/etc/paynorm/a", "/b", "/etc/paynorm/sub/c", "/etc/paynorm/d", "/etc/paynorm/e"}
	if diff := cmp.Diff(want, config.Secrets{Dir: "/etc/paynorm"}.Files(cfg)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
