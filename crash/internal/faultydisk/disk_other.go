//go:build !linux || !(amd64 || arm64)

package faultydisk

import (
	"errors"
	"os/exec"
	"time"

	"github.com/paynorm/paynorm/crash/internal/site"
)

// Disk is not supported here.
type Disk struct{}

// New returns a disk that nothing can be started on.
func New(string) *Disk { return &Disk{} }

// Start returns an error.
func (*Disk) Start(*exec.Cmd, string) (*site.Process, error) {
	return nil, errors.New("a faulty disk can be simulated on Linux only, on amd64 and arm64")
}

// Fill does nothing.
func (*Disk) Fill(int64) {}

// Free does nothing.
func (*Disk) Free() {}

// Slow does nothing.
func (*Disk) Slow(time.Duration) {}

// Refused returns 0.
func (*Disk) Refused() int { return 0 }
