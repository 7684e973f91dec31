//go:build !linux || !(amd64 || arm64)

package powercut

import (
	"errors"
	"os/exec"

	"github.com/paynorm/paynorm/crash/internal/site"
)

var errUnsupported = errors.New("a power cut can be simulated on Linux only, on amd64 and arm64")

// Disk is not supported here.
type Disk struct{}

// NewDisk returns an error.
func NewDisk(string, string, uint64) (*Disk, error) { return nil, errUnsupported }

// Start returns an error.
func (*Disk) Start(*exec.Cmd, string) (*site.Process, error) { return nil, errUnsupported }

// Cut returns an error.
func (*Disk) Cut(*site.Process) (Cut, error) { return Cut{}, errUnsupported }
