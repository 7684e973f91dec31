package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/paynorm/paynorm/crash/internal/faultydisk"
	"github.com/paynorm/paynorm/crash/internal/powercut"
	"github.com/paynorm/paynorm/crash/internal/site"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
)

// machine runs paynorm and crashes it.
type machine interface {
	start() (*site.Process, error)
	// crash returns when the process is gone.
	crash(p *site.Process) error
}

// newMachine returns a machine. lost is told what each power cut did.
func newMachine(o options, s *site.Site, program string, lost func(powercut.Cut)) (machine, error) {
	switch o.How {
	case kill:
		return killer{s, program}, nil
	case full, slow:
		return weakling{killer{s, program}, faultydisk.New(s.Data)}, nil
	}
	disk, err := powercut.NewDisk(s.Data, filepath.Join(s.Dir, "platter"), o.Seed)
	return &cutter{s, program, disk, lost}, err
}

// killer kills the process; the kernel keeps what it wrote.
type killer struct {
	site    *site.Site
	program string
}

func (k killer) start() (*site.Process, error) {
	return site.Start(k.site.Serve(k.program), k.site.Log())
}

func (killer) crash(p *site.Process) error {
	p.Kill()
	return nil
}

// weakling is a killer whose disk can be full, or slow.
type weakling struct {
	killer
	disk *faultydisk.Disk
}

func (w weakling) start() (*site.Process, error) {
	return w.disk.Start(w.site.Serve(w.program), w.site.Log())
}

// cutter cuts the power; what was not synced is gone.
type cutter struct {
	site    *site.Site
	program string
	disk    *powercut.Disk
	lost    func(powercut.Cut)
}

func (c *cutter) start() (*site.Process, error) {
	return c.disk.Start(c.site.Serve(c.program), c.site.Log())
}

// crash takes what is in memory, too: that is where paynorm has batches gathered.
func (c *cutter) crash(p *site.Process) error {
	memory, _ := filepath.EvalSymlinks(filepath.Join(c.site.Data, "nats", "jetstream", "$G", "streams", eventstream.Name, "batches"))
	cut, err := c.disk.Cut(p)
	c.lost(cut)
	if !strings.HasPrefix(memory, "/dev/shm/") { // it has not come that far, or there is no such memory
		return err
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(memory)))
}
