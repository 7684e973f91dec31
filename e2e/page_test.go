package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// block is a fenced block of a page, with the note before it and the output that
// the page shows behind it.
type block struct {
	how   string // see demo.run
	want  string // regular expression; "" when the page shows the output
	shown string
	text  string
}

var (
	fenced = regexp.MustCompile("(?s)(?:<!-- test: ([^\n]*?) -->\n)?```(sh|yaml)\n(.*?)```(?:\n\n```text\n(.*?)```)?")
	wanted = regexp.MustCompile(`^(.*?), want: (.*)$`)
)

// blocks returns what is to be done with the page at a path below the root of the
// repository. YAML without a note is for reading only.
func blocks(t *testing.T, path string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		b := block{how: m[1], text: m[3], shown: m[4]}
		if w := wanted.FindStringSubmatch(m[1]); w != nil {
			b.how, b.want = w[1], w[2]
		}
		switch {
		case b.how == "" && m[2] == "yaml":
			continue
		case b.how == "" && b.shown != "":
			b.how = "run"
		}
		all = append(all, b)
	}
	return all
}

// demo is the example configuration as the pages use it, with ports and data of its own.
type demo struct {
	root, dir  string
	http       string
	local      *strings.Replacer // from what a page says to what is so here
	server     *process
	background []func() error // checks of what goes on running
	ran        map[string]int // blocks by what was done with them
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	free := freeAddresses(t, 4)
	grpc, metrics, nats := free[1], free[2], free[3]
	d := &demo{root: root, dir: t.TempDir(), http: free[0], ran: map[string]int{}}
	d.local = strings.NewReplacer(
		"examples/paynorm.yaml", filepath.Join(d.dir, "paynorm.yaml"),
		"examples/secrets", filepath.Join(d.dir, "secrets"),
		"./data", filepath.Join(d.dir, "data"),
		"/var/backups", filepath.Join(d.dir, "backups"),
		"bin/paynorm", programs(t).paynorm,
		".cache/bin/grpcurl", programs(t).grpcurl,
		"./examples/subscribe", "./examples/subscribe -s nats://"+nats,
		"./examples/reconcile", "./examples/reconcile -s "+grpc,
		"localhost:8080", d.http, "127.0.0.1:8080", d.http,
		"localhost:9090", grpc, "127.0.0.1:9090", grpc,
		"localhost:9464", metrics, "127.0.0.1:9464", metrics,
		"127.0.0.1:4222", nats,
	)
	for _, dir := range []string{"secrets", "backups"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile("../examples/paynorm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "paynorm.yaml"), []byte(d.local.Replace(string(config))), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := d.bash(t, "go run ./tools/devsecrets -o "+filepath.Join(d.dir, "secrets")).CombinedOutput(); err != nil {
		t.Fatalf("make the secrets: %v\n%s", err, out)
	}
	return d
}

// bash returns a command that runs as in a terminal whose folder is the repository.
func (d *demo) bash(t *testing.T, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
	cmd.Dir = d.root
	cmd.Env = append(os.Environ(), "PATH="+d.path(t))
	return cmd
}

func (d *demo) path(t *testing.T) string {
	t.Helper()
	return strings.Join([]string{filepath.Dir(programs(t).paynorm), filepath.Dir(programs(t).grpcurl), os.Getenv("PATH")}, ":")
}

// run does what each block of a page says, in order:
//
//   - server, stop and reload stand for starting, stopping and reloading paynorm
//   - config is added to the configuration
//   - background is started; what it prints is checked by finish
//   - run is run, until it prints what it should: what was sent a moment ago may
//     not be in the view yet
//   - once is run once, because it changes something
func (d *demo) run(t *testing.T, page []block) {
	t.Helper()
	for _, b := range page {
		d.ran[b.how]++
		command := d.local.Replace(b.text)
		switch b.how {
		case "server":
			d.server = start(t, programs(t).paynorm, "serve", "--config", filepath.Join(d.dir, "paynorm.yaml"))
			d.server.ready(t, "http://"+d.http)
		case "stop":
			if code := d.server.stop(t); code != 0 {
				t.Errorf("exit code %d after SIGTERM, want 0", code)
			}
		case "reload":
			d.server.signal(syscall.SIGHUP)
			eventually(t, func() error { return d.matches(block{want: "configuration reloaded"}, d.server.out.String()) })
		case "config":
			d.configure(t, command)
		case "background":
			p := start(t, "bash", "-c", "PATH="+d.path(t)+"; cd "+d.root+" && exec "+command)
			d.background = append(d.background, func() error { return d.matches(b, p.out.String()) })
			if strings.Contains(command, "subscribe") {
				eventually(t, func() error { return d.matches(block{want: "waiting for"}, p.out.String()) })
			}
		case "run":
			eventually(t, func() error { return d.try(t, b, command) })
		case "once":
			if err := d.try(t, b, command); err != nil {
				t.Fatal(err)
			}
		case "not here":
		default:
			t.Errorf("neither a note nor an output says how to test this block:\n%s", b.text)
		}
	}
}

// finish checks what the commands in the background have printed.
func (d *demo) finish(t *testing.T) {
	t.Helper()
	for _, check := range d.background {
		eventually(t, check)
	}
}

// atLeast checks that the page still has its blocks, and that they are found.
func (d *demo) atLeast(t *testing.T, counts map[string]int) {
	t.Helper()
	for how, n := range counts {
		if d.ran[how] < n {
			t.Errorf("%d blocks of kind %q, want at least %d: does the test still find them?", d.ran[how], how, n)
		}
	}
}

func (d *demo) try(t *testing.T, b block, command string) error {
	t.Helper()
	out, err := d.bash(t, command).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s\n%w\n%s", b.text, err, tail(string(out), 2000))
	}
	return d.matches(b, string(out))
}

// configure adds to the configuration file.
func (d *demo) configure(t *testing.T, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "paynorm.yaml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("\n" + text); err != nil {
		t.Fatal(err)
	}
}

// matches says what is wrong with the output of a block.
func (d *demo) matches(b block, out string) error {
	for _, want := range []string{b.want, shown(d.local.Replace(b.shown))} {
		if !regexp.MustCompile(want).MatchString(strings.TrimSuffix(out, "\n") + "\n") {
			return fmt.Errorf("%s\nprints no %q:\n%s", b.text, want, tail(out, 4000))
		}
	}
	return nil
}

// shown turns an output as a page shows it into a regular expression. In a line,
// … stands for any text; alone in a line it stands for any lines.
func shown(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "…" {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(line, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		b.WriteString(strings.Join(parts, ".*?"))
	}
	if b.Len() == 0 {
		return ""
	}
	return "(?m)^" + b.String()
}
