package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// StartWithin bounds how long a process may take until it is ready.
const StartWithin = 60 * time.Second

// Process is a running paynorm, or a NATS server.
type Process struct {
	Cmd   *exec.Cmd
	ended chan struct{}
	log   *os.File
}

// Start starts cmd; what it says is added to the file log.
func Start(cmd *exec.Cmd, log string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p := &Process{Cmd: cmd, ended: make(chan struct{}), log: f}
	go func() {
		_ = cmd.Wait() // killed processes have an error by nature
		_ = f.Close()
		close(p.ended)
	}()
	return p, nil
}

// Serve returns the command of a whole paynorm on s.
func (s *Site) Serve(program string) *exec.Cmd {
	return exec.Command(program, "serve", "--config", s.File)
}

// Log is the file with what the processes of s say.
func (s *Site) Log() string { return filepath.Join(s.Dir, "paynorm.log") }

// Ended is closed when the process has.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill ends the process as kill -9 does and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop asks the process to end, waits, and returns whether it ended well.
func (p *Process) Stop() error {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(StartWithin):
		p.Kill()
		return errors.New("does not stop when asked to")
	}
	if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d when asked to stop", code)
	}
	return nil
}

// Signal sends s. It fails only when the process has ended.
func (p *Process) Signal(s syscall.Signal) { _ = p.Cmd.Process.Signal(s) }

// Ready waits until p takes webhooks and returns how long that took.
func (s *Site) Ready(ctx context.Context, p *Process) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, StartWithin)
	defer cancel()
	for {
		if status, _ := s.readyz(ctx); status == http.StatusOK {
			return time.Since(began), nil
		}
		select {
		case <-p.ended:
			return 0, fmt.Errorf("paynorm ended before it was ready: %s", s.Tail())
		case <-ctx.Done():
			return 0, fmt.Errorf("paynorm is not ready after %v: %s", time.Since(began), s.Tail())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Refuses reports whether /readyz says that webhooks are refused, and why in one
// of these words.
func (s *Site) Refuses(ctx context.Context, why []string) bool {
	status, text := s.readyz(ctx)
	return status == http.StatusServiceUnavailable &&
		slices.ContainsFunc(why, func(w string) bool { return strings.Contains(text, w) })
}

// readyz returns what /readyz answers, 0 when it has no whole answer.
func (s *Site) readyz(ctx context.Context) (status int, text string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.HTTP+"/readyz", nil)
	if err != nil {
		return 0, ""
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close() // read to its end, or given up
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(body)
}

// Tail is the end of the log, for errors.
func (s *Site) Tail() string {
	const length = 2000
	f, err := os.Open(s.Log())
	if err != nil {
		return err.Error()
	}
	defer f.Close() // only read
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-length), io.SeekStart)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
