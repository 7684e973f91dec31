package main

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/sender"
	"github.com/paynorm/paynorm/crash/internal/site"
	"github.com/paynorm/paynorm/crash/internal/witness"
	"github.com/paynorm/paynorm/internal/loopback"
)

// patient is how long these tests wait for what should be so soon.
const patient = time.Minute

// node is one of two paynorms on one NATS server.
type node struct {
	*site.Site
	process *site.Process
}

func (n *node) start(t *testing.T, program string) {
	t.Helper()
	p, err := site.Start(n.Serve(program), n.Log())
	if err != nil {
		t.Fatal(err)
	}
	n.process = p
	t.Cleanup(p.Kill)
	if _, err := n.Ready(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// buildAll builds paynorm and a NATS server.
func buildAll(t *testing.T) (paynorm, natsServer string) {
	t.Helper()
	dir := t.TempDir()
	root, err := fault.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paynorm, natsServer = filepath.Join(dir, "paynorm"), filepath.Join(dir, "nats-server")
	if err := fault.Build(t.Context(), root, paynorm); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", natsServer, "github.com/nats-io/nats-server/v2")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return paynorm, natsServer
}

// startNATS runs a NATS server until the test ends and returns its URL.
func startNATS(t *testing.T, program string) string {
	t.Helper()
	addresses, err := loopback.Addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p, err := site.Start(exec.Command(program, "-js", "-sd", dir, "-a", host, "-p", port), filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	until(t, "the NATS server answers", func() bool {
		nc, err := nats.Connect("nats://" + addresses[0])
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	return "nats://" + addresses[0]
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("after %v it is still not so that %s", patient, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ready reports what a node answers to a load balancer.
func (n *node) ready() bool {
	resp, err := http.Get(n.HTTP + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stored counts the commits of the ledger, as a measure of progress.
func stored(t *testing.T, url string) uint64 {
	t.Helper()
	nc, js, err := witness.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s, err := js.Stream(t.Context(), "PAYNORM_LEDGER")
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// A paynorm is paused, another one takes over, and the first one wakes up: it
// may not store and not publish any more, and nothing is published twice.
func TestPausedPaynormDoesNotWriteWhenItWakesUp(t *testing.T) {
	program, natsServer := buildAll(t)
	url := startNATS(t, natsServer)
	keys, err := site.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	var nodes [2]*node
	for i := range nodes {
		s, err := site.New(t.TempDir(), url, keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = &node{Site: s}
	}
	active, other := nodes[0], nodes[1]
	active.start(t, program)
	subscriber, err := witness.Subscribe(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := sender.Start(t.Context(), sender.Options{
		Site: active.Site, Targets: []string{active.HTTP, other.HTTP}, Seed: 1, PerProvider: 2,
		MaxPause: 5 * time.Millisecond, Timeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	progress := func(what string) {
		t.Helper()
		from := stored(t, url)
		until(t, what, func() bool { return stored(t, url) > from+100 })
	}
	for range 3 {
		progress("the first one works")
		active.process.Signal(syscall.SIGSTOP)
		other.start(t, program)
		progress("the second one has taken over")
		active.process.Signal(syscall.SIGCONT)
		until(t, "the first one refuses to write", func() bool { return !active.ready() })
		progress("the second one goes on")
		active.process.Kill()
		active, other = other, active
	}
	other.start(t, program) // and one that only watches

	var h history.History
	if h.Sent, _, err = fleet.Stop(); err != nil {
		t.Fatal(err)
	}
	settle(t, &h, subscriber, active, other)
	figures, wrong := history.Check(h)
	if err := wrong.Err(); err != nil {
		t.Error(err)
	}
	t.Logf("%+v", figures)
}

// settle waits until both nodes have projected everything, and reads it.
func settle(t *testing.T, h *history.History, subscriber *witness.Subscriber, active, other *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	if err := witness.Projected(ctx, active.Metrics, patient); err != nil {
		t.Fatal(err)
	}
	if _, err := gather(ctx, h, active.Site, nil); err != nil {
		t.Fatal(err)
	}
	h.Seen = subscriber.Close(ctx, 1, int64(len(h.Stream)), patience)
	until(t, "both have the same view", func() bool {
		view, err := witness.View(ctx, other.HTTP)
		return err == nil && cmp.Equal(view, h.View)
	})
}
