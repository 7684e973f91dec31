//go:build !linux || !(amd64 || arm64)

package seccomp

import (
	"errors"
	"os/exec"

	"github.com/paynorm/paynorm/crash/internal/site"
)

// Trace is not supported here.
type Trace struct{ Process *site.Process }

// Child does nothing.
func Child() {}

// Start returns an error.
func Start(*exec.Cmd, string, Handler) (*Trace, error) {
	return nil, errors.New("calls can be traced on Linux only, on amd64 and arm64")
}

// Wait returns nil.
func (*Trace) Wait() error { return nil }
