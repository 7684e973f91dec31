package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paynorm/paynorm/crash/internal/site"
)

// patience is how long a sender waits for an answer.
const patience = 30 * time.Second

// figures are what came of a load.
type figures struct {
	acknowledged, refused, broken atomic.Int64
	peak                          int64 // bytes
}

// offer runs program in the folder dir under the load. It is an error when
// paynorm ends, or does not take a webhook after the load any more.
func (l load) offer(ctx context.Context, dir, program string) (*figures, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	keys, err := site.NewKeys()
	if err != nil {
		return nil, err
	}
	s, err := site.New(dir, "", keys, nil)
	if err != nil {
		return nil, err
	}
	p, err := site.Start(s.Serve(program), s.Log())
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	if _, err := s.Ready(ctx, p); err != nil {
		return nil, err
	}
	f := &figures{}
	address := strings.TrimPrefix(s.HTTP, "http://")
	loaded, stop := context.WithTimeout(ctx, l.lasts)
	defer stop()
	var senders sync.WaitGroup
	for range l.connections {
		senders.Go(func() { l.send(loaded, address, f) })
	}
	senders.Wait()
	select {
	case <-p.Ended():
		return nil, fmt.Errorf("paynorm ended: %s", s.Tail())
	default:
	}
	if f.peak, err = peak(p.Cmd.Process.Pid); err != nil {
		return nil, err
	}
	if err := after(ctx, address); err != nil {
		return nil, fmt.Errorf("%w: %s", err, s.Tail())
	}
	return f, nil
}

// after sends one webhook as it should be.
func after(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var f figures
	l := load{head: headOf(len(small)), body: []byte(small)}
	for f.acknowledged.Load() == 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("no webhook is taken after the load: %d refused, %d without an answer", f.refused.Load(), f.broken.Load())
		}
		l.once(ctx, address, &f)
	}
	return nil
}

// send keeps one connection busy until ctx ends.
func (l load) send(ctx context.Context, address string, f *figures) {
	for ctx.Err() == nil {
		l.once(ctx, address, f)
	}
}

// once sends on one connection until it breaks or ctx ends.
func (l load) once(ctx context.Context, address string, f *figures) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() == nil {
			f.broken.Add(1)
		}
		pause(ctx)
		return
	}
	defer func() { _ = c.Close() }() // the answer is all that counts
	if l.stops {
		_, _ = c.Write(append([]byte(l.head), l.body...)) // paynorm may hang up
		_, _ = io.Copy(io.Discard, until(ctx, c))
		return
	}
	reader := bufio.NewReaderSize(c, 1<<10)
	for {
		status, keep, err := l.request(c, reader)
		switch {
		case err != nil:
			f.broken.Add(1)
		case status == http.StatusServiceUnavailable:
			f.refused.Add(1)
		case status < http.StatusMultipleChoices:
			f.acknowledged.Add(1)
		default:
			f.broken.Add(1)
		}
		if err != nil || !keep || ctx.Err() != nil || l.lasts == 0 {
			return
		}
	}
}

func (l load) request(c net.Conn, reader *bufio.Reader) (status int, keep bool, err error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, false, err
	}
	if _, err := io.WriteString(c, l.head); err != nil {
		return 0, false, err
	}
	if _, err := c.Write(l.body); err != nil {
		return 0, false, err
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close() // read to its end
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, !resp.Close, err
}

// until returns c, which ends when ctx does.
func until(ctx context.Context, c net.Conn) net.Conn {
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(end) // it fails only when c is closed
	}
	return c
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}

// peak returns the most memory that a process has had, in bytes.
func peak(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, value, found := strings.Cut(string(text), "VmHWM:")
	var kibibytes int64
	if _, err := fmt.Sscan(value, &kibibytes); !found || err != nil {
		return 0, errors.New("/proc does not tell the memory of a process")
	}
	return kibibytes << 10, nil
}
