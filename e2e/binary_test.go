// Package e2e runs the real binary as a user would: over HTTP, gRPC, NATS and
// the command line.
package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/logtest"
	"github.com/paynorm/paynorm/internal/loopback"
)

// patience bounds every wait in these tests; nothing is expected to take it.
const patience = 60 * time.Second

// tools are the programs under test, built once.
type tools struct{ paynorm, natsServer, grpcurl string }

// built makes them when a test first asks for them.
var built func() (tools, error)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "paynorm-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = sync.OnceValues(func() (tools, error) { return build(dir) })
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir string) (tools, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return tools{}, err
	}
	t := tools{
		paynorm:    filepath.Join(dir, "paynorm"),
		natsServer: filepath.Join(dir, "nats-server"),
		grpcurl:    filepath.Join(root, ".cache", "bin", "grpcurl"),
	}
	for target, pkg := range map[string]string{t.paynorm: "./cmd/paynorm", t.natsServer: "github.com/nats-io/nats-server/v2"} {
		cmd := exec.Command("go", "build", "-race", "-o", target, pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return tools{}, fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	if _, err := os.Stat(t.grpcurl); err != nil {
		return tools{}, fmt.Errorf("grpcurl is not there: run make tools (%w)", err)
	}
	return t, nil
}

func programs(t *testing.T) tools {
	t.Helper()
	programs, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return programs
}

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	out  *logtest.Buffer
	done chan struct{}
}

// start runs a program until the test ends. A data race in it fails the test.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), out: &logtest.Buffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that go run takes its child along
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is asked for where it matters
		close(p.done)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
		if strings.Contains(p.out.String(), "DATA RACE") {
			t.Errorf("%s has a data race", filepath.Base(name))
		}
		if t.Failed() {
			t.Logf("%s %s:\n%s", filepath.Base(name), strings.Join(args, " "), tail(p.out.String(), 4000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// signal sends s to the program and its children. It fails only when they have ended.
func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// stop asks the program to end and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("does not stop")
	}
	return p.cmd.ProcessState.ExitCode()
}

// eventually calls check until it returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var err error
	for {
		if err = check(); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still not so after %v: %v", patience, err)
		}
	}
}

// ready waits until the program says so at its HTTP address.
func (p *process) ready(t *testing.T, base string) {
	t.Helper()
	eventually(t, func() error {
		select {
		case <-p.done:
			t.Fatalf("ended before it was ready:\n%s", tail(p.out.String(), 4000))
		default:
		}
		resp, err := http.Get(base + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz answers %s", resp.Status)
		}
		return nil
	})
}

// freeAddresses returns n loopback addresses that nobody listens on.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	addresses, err := loopback.Addresses(n)
	if err != nil {
		t.Fatal(err)
	}
	return addresses
}
