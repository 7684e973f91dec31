package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paynorm/paynorm/benchmarks/internal/verify"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
	"github.com/paynorm/paynorm/internal/loopback"
)

// The systems that can be measured.
const (
	baselineName = "baseline" // with a NATS server beside it
	embeddedName = "embedded" // the same receiver with the NATS server in its process
	paynormName  = "paynorm"
	otherName    = "the other" // paynorm is compared with; see against
)

// server is a running system.
type server struct {
	*process
	broker     *process // the NATS server, where it has a process of its own
	http, nats string   // addresses
	dir        string   // of this server's configuration and data
	grpc       string   // address, of paynorm
	metrics    string   // URL, of paynorm
}

// system is something to measure.
type system interface {
	// start runs the system with its data in dir.
	start(ctx context.Context, dir string) (*server, error)
	// drain waits until nothing is left to do.
	drain(ctx context.Context, s *server) error
	// check compares what is stored with what was sent.
	check(ctx context.Context, js jetstream.JetStream, c *verify.Check, source verify.Source) error
	// attempt returns the transaction_id of a published event.
	attempt(event []byte) (string, error)
}

// processes are those of a system.
func (s *server) processes() []*process {
	if s.broker == nil {
		return []*process{s.process}
	}
	return []*process{s.process, s.broker}
}

// stop ends the system, first who uses the NATS server.
func (s *server) stop() error {
	var all error
	for _, p := range s.processes() {
		if err := p.stop(); err != nil {
			all = errors.Join(all, err, p.said.err())
		}
	}
	return all
}

type baseline struct {
	program, sync string
	broker        string // the program of the NATS server; empty embeds it
}

func (b baseline) start(ctx context.Context, dir string) (*server, error) {
	s := &server{dir: dir}
	if err := s.listen(&s.http, &s.nats); err != nil {
		return nil, err
	}
	args := []string{"-http", s.http, "-token", token}
	if b.broker == "" {
		args = append(args, "-nats", s.nats, "-store", filepath.Join(dir, "nats"), "-sync", b.sync)
	} else {
		if err := b.startBroker(ctx, s); err != nil {
			return nil, err
		}
		args = append(args, "-url", "nats://"+s.nats)
	}
	var err error
	if s.process, err = start(ctx, "http://"+s.http+"/readyz", b.program, args...); err != nil && s.broker != nil {
		err = errors.Join(err, s.broker.stop())
	}
	return s, err
}

// startBroker starts a NATS server as its documentation says, which syncs as b does.
func (b baseline) startBroker(ctx context.Context, s *server) error {
	var monitor string
	if err := s.listen(&monitor); err != nil {
		return err
	}
	stream := map[string]any{"store_dir": filepath.Join(s.dir, "nats")}
	if b.sync == "always" {
		stream["sync_interval"] = b.sync
	}
	cfg, err := json.Marshal(map[string]any{"listen": s.nats, "http": monitor, "jetstream": stream}) // NATS reads JSON too
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "nats-server.conf")
	if err := os.WriteFile(file, cfg, 0o600); err != nil {
		return err
	}
	s.broker, err = start(ctx, "http://"+monitor+"/healthz", b.broker, "-c", file)
	return err
}

func (baseline) drain(context.Context, *server) error { return nil }

func (baseline) check(ctx context.Context, js jetstream.JetStream, c *verify.Check, source verify.Source) error {
	clip, ok := source.(*webhook.Source)
	if !ok {
		return fmt.Errorf("the baseline takes Clip's webhooks only")
	}
	return verify.Baseline(ctx, js, c, clip.Attempt)
}

func (baseline) attempt(event []byte) (string, error) { return verify.BaselineAttempt(event) }

type paynorm struct {
	command   []string                                   // program and arguments, but for the configuration
	endpoints func(dir string) ([]map[string]any, error) // with their secrets in dir
}

func (p paynorm) start(ctx context.Context, dir string) (*server, error) {
	s := &server{dir: dir}
	var metrics string
	if err := s.listen(&s.http, &s.nats, &s.grpc, &metrics); err != nil {
		return nil, err
	}
	endpoints, err := p.endpoints(dir)
	if err != nil {
		return nil, err
	}
	cfg, err := json.Marshal(map[string]any{ // JSON is YAML too
		"http": address(s.http), "grpc": address(s.grpc), "metrics": address(metrics), "nats": address(s.nats),
		"data_dir": filepath.Join(dir, "data"), "endpoints": endpoints,
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, configFile)
	if err := os.WriteFile(file, cfg, 0o600); err != nil {
		return nil, err
	}
	s.metrics = "http://" + metrics + "/metrics"
	s.process, err = start(ctx, "http://"+s.http+"/readyz", p.command[0], append(p.command[1:len(p.command):len(p.command)], "--config", file)...)
	return s, err
}

const configFile = "paynorm.yaml"

func address(a string) map[string]any { return map[string]any{"address": a} }

// drain waits until all deliveries are projected. With many merchants the
// metrics cost the server a tenth of a second, so it asks less often then.
func (p paynorm) drain(ctx context.Context, s *server) error {
	const lagMetric = "paynorm_projection_lag_commits"
	for {
		asked := time.Now()
		metrics, err := get(ctx, s.metrics+"?name[]="+lagMetric)
		if err != nil {
			return err
		}
		lag, err := figure(metrics, lagMetric)
		if err != nil || lag == 0 {
			return err
		}
		select {
		case <-time.After(max(10*time.Millisecond, 5*time.Since(asked))):
		case <-ctx.Done():
			return fmt.Errorf("%v commits are not projected: %w", lag, ctx.Err())
		}
	}
}

func (paynorm) check(ctx context.Context, js jetstream.JetStream, c *verify.Check, _ verify.Source) error {
	return verify.Paynorm(ctx, js, c)
}

func (paynorm) attempt(event []byte) (string, error) { return verify.PaynormAttempt(event) }

// figure returns a metric without labels.
func figure(metrics []byte, name string) (float64, error) {
	for line := range bytes.Lines(metrics) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

func (s *server) listen(addresses ...*string) error {
	free, err := loopback.Addresses(len(addresses))
	for i, a := range free {
		*addresses[i] = a
	}
	return err
}
