package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced command block of the README with the note before it.
type block struct {
	how  string // server, background, run, or not here
	want string // regular expression
	text string
}

var (
	fenced = regexp.MustCompile("(?s)(?:<!-- test: ([^\n]*?) -->\n)?```sh\n(.*?)```")
	wanted = regexp.MustCompile(`^(.*?), want: (.*)$`)
)

func readme(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		b := block{how: m[1], text: m[2]}
		if w := wanted.FindStringSubmatch(m[1]); w != nil {
			b.how, b.want = w[1], w[2]
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestCommandsOfTheREADMEWork runs every command of the README in order, with
// ports and data of its own.
func TestCommandsOfTheREADMEWork(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	local := strings.NewReplacer(
		"examples/paynorm.yaml", filepath.Join(dir, "paynorm.yaml"),
		"bin/paynorm", programs(t).paynorm,
		".cache/bin/grpcurl", programs(t).grpcurl,
		"./examples/subscribe", "./examples/subscribe -s nats://"+portOf(t, "4222"),
		"localhost:8080", portOf(t, "8080"), "127.0.0.1:8080", portOf(t, "8080"),
		"localhost:9090", portOf(t, "9090"), "127.0.0.1:9090", portOf(t, "9090"),
		"127.0.0.1:9464", portOf(t, "9464"), "127.0.0.1:4222", portOf(t, "4222"),
		"./data", filepath.Join(dir, "data"),
	)
	config, err := os.ReadFile("../examples/paynorm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "paynorm.yaml"), []byte(local.Replace(string(config))), 0o600); err != nil {
		t.Fatal(err)
	}

	var background []func() error
	ran := map[string]int{}
	for _, b := range readme(t) {
		ran[b.how]++
		command := local.Replace(b.text)
		switch b.how {
		case "server": // what make run does
			secrets := exec.CommandContext(t.Context(), "go", "run", "./tools/devsecrets", "-o", filepath.Join(dir, "secrets"))
			secrets.Dir = root
			if out, err := secrets.CombinedOutput(); err != nil {
				t.Fatalf("make the secrets: %v\n%s", err, out)
			}
			p := start(t, programs(t).paynorm, "serve", "--config", filepath.Join(dir, "paynorm.yaml"))
			p.ready(t, "http://"+portOf(t, "8080"))
		case "background":
			p := start(t, "bash", "-c", "cd "+root+" && exec "+command)
			background = append(background, func() error { return matchesOutput(b, p.out.String()) })
			if strings.Contains(command, "subscribe") {
				eventually(t, func() error { return matchesOutput(block{want: "waiting for"}, p.out.String()) })
			}
		case "run":
			eventually(t, func() error { // what was published a moment ago may not be in the view yet
				cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
				cmd.Dir = root
				out, err := cmd.CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w\n%s", err, out)
				}
				return matchesOutput(b, string(out))
			})
		case "not here":
		default:
			t.Errorf("no note says how to test this block:\n%s", b.text)
		}
	}
	for _, check := range background {
		eventually(t, check)
	}
	for how, atLeast := range map[string]int{"server": 1, "background": 2, "run": 4} {
		if ran[how] < atLeast {
			t.Errorf("%d blocks of kind %q, want at least %d: does the test still find them?", ran[how], how, atLeast)
		}
	}
}

var ports = map[string]string{}

// portOf returns the address that stands for the README's port in this test.
func portOf(t *testing.T, port string) string {
	t.Helper()
	if ports[port] == "" {
		ports[port] = freeAddress(t)
	}
	return ports[port]
}

func matchesOutput(b block, out string) error {
	if !regexp.MustCompile(b.want).MatchString(out) {
		return fmt.Errorf("%s\nprints no %q:\n%s", b.text, b.want, tail(out, 2000))
	}
	return nil
}
