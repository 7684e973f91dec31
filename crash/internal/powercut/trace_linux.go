//go:build amd64 || arm64

package powercut

import (
	"fmt"
	"os/exec"

	"github.com/paynorm/paynorm/crash/internal/seccomp"
	"github.com/paynorm/paynorm/crash/internal/site"
)

// Start gives cmd's program what is on the platter and starts it; what it says
// is added to the file log.
func (d *Disk) Start(cmd *exec.Cmd, log string) (*site.Process, error) {
	if err := d.materialize(); err != nil {
		return nil, fmt.Errorf("give the program its data: %w", err)
	}
	var err error
	if d.trace, err = seccomp.Start(cmd, log, d); err != nil {
		return nil, err
	}
	return d.trace.Process, nil
}

// Cut kills p as a power cut does. The next Start has what survived.
func (d *Disk) Cut(p *site.Process) (Cut, error) {
	d.mu.Lock()
	d.cut = true // who asks from now on gets no answer
	d.mu.Unlock()
	p.Kill()
	if err := d.trace.Wait(); err != nil {
		return Cut{}, err
	}
	return d.survive()
}

// Before brings a call into the picture before it happens.
func (d *Disk) Before(c seccomp.Call) (seccomp.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return seccomp.Answer{Never: true}, nil
	}
	d.through(c.Thread)
	var err error
	switch c.Kind {
	case seccomp.Sync:
		err = d.sync(c.Path)
	case seccomp.WriteSome:
		err = d.wrote(c.Thread, c.Path, 0)
	default:
		err = d.wrote(c.Thread, c.Path, c.Offset)
	}
	if err != nil {
		return seccomp.Answer{}, fmt.Errorf("%s: %w", c.Path, err)
	}
	return seccomp.Answer{}, nil
}
