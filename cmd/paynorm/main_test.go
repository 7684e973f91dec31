package main

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/internal/simulator"
)

func noEnv(string) (string, bool) { return "", false }

// execute runs the program with args and returns what it printed.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), args, noEnv, &out, &out)
	return out.String(), err
}

func TestHelpNamesEveryCommand(t *testing.T) {
	out, err := execute(t, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "gateway", "normalizer", "send"} {
		if !strings.Contains(out, "\n  "+command+" ") {
			t.Errorf("help does not name %s:\n%s", command, out)
		}
	}
}

func TestWrongUseIsAnError(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "paynorm.yaml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "expected one of"},
		{"unknown command", []string{"frobnicate"}, "frobnicate"},
		{"no such file", []string{"serve", "--config", "/nonexistent.yaml"}, "/nonexistent.yaml"},
		{"no provider", []string{"send", "--config", empty}, "--provider"},
		{"unknown provider", []string{"send", "--config", empty, "--provider", "acme"}, `"acme"`},
		{"unknown provider listed", []string{"send", "--list", "--provider", "acme"}, "clip"},
		{"no provider listed", []string{"send", "--list"}, "--provider is missing; there are clip"},
		{"nothing to send", []string{"send", "--config", empty, "--provider", "clip", "--count", "0"}, "--count is 0: want at least 1"},
		{"less than nothing to send", []string{"send", "--config", empty, "--storm", "--count=-1"}, "--count is -1: want at least 1"},
		{"storm without senders", []string{"send", "--config", empty, "--storm", "--connections", "0"}, "--connections is 0: want 1 to 4096"},
		{"storm of fewer than no senders", []string{"send", "--config", empty, "--storm", "--connections=-1"}, "--connections is -1: want 1 to 4096"},
		{"storm of too many senders", []string{"send", "--config", empty, "--storm", "--connections", "4097"}, "--connections is 4097: want 1 to 4096"},
		{"storm over nothing", []string{"send", "--config", empty, "--storm"}, "no endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := execute(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

// configure writes a configuration with an endpoint of Clip and returns its file.
func configure(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "paynorm.yaml")
	text := "endpoints: [{provider: clip, merchant: acme, mode: test, auth: [{url_token: {secret: {file: token}}}]}]\n" + more
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "token"), []byte(token), 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

// token is the secret of the endpoint that configure makes.
const token = "s3cret-of-the-tests"

func TestSendingToNobodyShowsNoSecret(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	for _, how := range []string{"--provider=clip", "--storm"} {
		out, err := execute(t, "send", "--config", configure(t, ""), "--url", server.URL, how)
		want := `Post "` + server.URL + `/webhooks/clip/acme": `
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out+err.Error(), token) {
			t.Errorf("%s: got error %v and %q, want one with %s", how, err, out, want)
		}
	}
}

func TestListShowsEveryCase(t *testing.T) {
	for _, p := range simulator.Providers() {
		out, err := execute(t, "send", "--list", "--provider", p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range simulator.Cases(p) {
			if !strings.Contains(out, c.Name) {
				t.Errorf("%s: case %s is not listed", p, c.Name)
			}
		}
	}
}

func TestRestoreNamesTheFileThatItCannotRead(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	config := configure(t, "data_dir: "+data+"\n")
	t.Chdir(filepath.Dir(config))
	for file, want := range map[string]string{
		"nofile":   "open nofile: no such file or directory",
		"./nofile": "open ./nofile: no such file or directory",
		".":        "read .: is a directory",
	} {
		if _, err := execute(t, "restore", "--config", config, file); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %s", file, err, want)
		}
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("data_dir is there, or not: %v", err)
	}
}

// A mistyped data_dir would else be made, and its empty ledger called whole.
func TestMaintenanceMakesNoStore(t *testing.T) {
	config := configure(t, "data_dir: ./data\n")
	for _, args := range [][]string{{"verify"}, {"backup", "file"}, {"rebuild"}, {"rebuild", "--dry-run"}, {"erase", "--payment", "payments/p1"}} {
		dir := t.TempDir()
		t.Chdir(dir)
		check := func(want string) {
			t.Helper()
			if _, err := execute(t, append(args, "--config", config)...); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v: got error %v, want %s", args, err, want)
			}
		}
		data := filepath.Join(dir, "data")
		check("data_dir: stat " + data + ": no such file or directory")
		if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: data_dir is there now, or cannot be seen: %v", args, err)
		}
		if err := os.MkdirAll(data, 0o700); err != nil {
			t.Fatal(err)
		}
		check("data_dir " + data + " holds no ledger: ")
		if made, err := os.ReadDir(data); err != nil || len(made) > 0 {
			t.Errorf("%v: data_dir holds %v, %v", args, made, err)
		}
	}
}
