// Package servetest runs a whole paynorm inside of a test, with an endpoint for
// Clip and one for ACI, and plays these providers.
package servetest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/serve"
	"github.com/paynorm/paynorm/internal/simulator"
)

// patience bounds every wait; nothing is expected to take it.
const patience = 60 * time.Second

// secrets are what the configuration names.
var secrets = map[string]string{"CLIP_TOKEN": "token-of-the-tests", "ACI_KEY": strings.Repeat("5a", 32)}

func getenv(name string) (string, bool) {
	value, ok := secrets[name]
	return value, ok
}

// Site is a running paynorm.
type Site struct {
	HTTP string // base URL
	GRPC string // host:port
	NATS string // URL
	stop func()
	cfg  *configv1.Config
}

// Start runs a paynorm until the test ends, with the given members of the
// configuration changed or added.
func Start(t testing.TB, change map[string]any) *Site {
	t.Helper()
	s := &Site{}
	s.StartIn(t, t.TempDir(), change)
	return s
}

// StartIn runs a paynorm on the data below dir until the test ends or Stop.
func (s *Site) StartIn(t testing.TB, dir string, change map[string]any) {
	t.Helper()
	file := filepath.Join(dir, "paynorm.yaml")
	values := map[string]any{
		"http":     map[string]any{"address": "127.0.0.1:0"},
		"grpc":     map[string]any{"address": "127.0.0.1:0"},
		"metrics":  map[string]any{"address": "127.0.0.1:0"},
		"nats":     map[string]any{"address": "127.0.0.1:0"},
		"data_dir": filepath.Join(dir, "data"),
		"endpoints": []any{
			map[string]any{
				"provider": "clip", "merchant": "acme", "mode": "live",
				"auth": []any{map[string]any{"url_token": map[string]any{"secret": map[string]any{"env": "CLIP_TOKEN"}}}},
			},
			map[string]any{
				"provider": "aci-opp", "merchant": "acme", "mode": "live",
				"auth": []any{map[string]any{"aes_gcm": map[string]any{"key": map[string]any{"env": "ACI_KEY"}}}},
			},
		},
	}
	for name, value := range change {
		values[name] = value
	}
	text, err := json.Marshal(values) // JSON is YAML too
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg = cfg
	ready := readiness{Handler: slog.DiscardHandler, at: make(chan map[string]string, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serve.All(ctx, serve.Options{
			Config: cfg, ConfigFile: file, Logger: slog.New(ready),
			Getenv: getenv,
		})
	}()
	select {
	case at := <-ready.at:
		s.HTTP, s.GRPC, s.NATS = "http://"+at["http"], at["grpc"], "nats://"+at["nats"]
	case err := <-ended:
		cancel()
		t.Fatalf("paynorm does not start: %v", err)
	case <-time.After(patience):
		cancel()
		t.Fatal("paynorm does not get ready")
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("paynorm ended with %v", err)
		}
	}
	t.Cleanup(s.stop)
}

// Stop ends it before the test does.
func (s *Site) Stop() { s.stop() }

// Clip sends a checkout webhook of Clip: status "CREATED", "COMPLETED",
// "EXPIRED" or another word, reached at a minute of the day.
func (s *Site) Clip(t testing.TB, payment, status string, minute int) {
	t.Helper()
	at := time.Date(2026, 4, 1, 12, minute, 0, 0, time.UTC).Format(time.RFC3339)
	member := map[string]string{"COMPLETED": "completed_at", "EXPIRED": "expired_at"}[status]
	if member == "" {
		member = "created_at"
	}
	body := fmt.Sprintf(`{"id":"n-%s-%s","api_version":"1.0","payment_request_id":%q,"transaction_id":"t-%s","resource":"CHECKOUT",`+
		`"resource_status":%q,"attempts":1,"sent_date":%q,%q:%q,"me_reference_id":"order-%s"}`,
		payment, status, payment, payment, status, at, member, at, payment)
	resp, err := http.Post(s.HTTP+"/webhooks/clip/acme?token="+secrets["CLIP_TOKEN"], "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the webhook is answered %s", resp.Status)
	}
}

// ACI sends a webhook of ACI; see the simulator's cases. The amount follows from
// the payment.
func (s *Site) ACI(t testing.TB, payment, caseName string) {
	t.Helper()
	player, err := simulator.New(simulator.Options{Config: s.cfg, Provider: "aci-opp", BaseURL: s.HTTP, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := player.Do(t.Context(), caseName, simulator.IDs{Payment: payment})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the webhook is answered %s", resp.Status)
	}
}

// readiness waits for the line that says where paynorm listens.
type readiness struct {
	slog.Handler
	at chan map[string]string
}

// Enabled implements slog.Handler.
func (readiness) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (r readiness) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup implements slog.Handler.
func (r readiness) WithGroup(string) slog.Handler { return r }

// Handle implements slog.Handler.
func (r readiness) Handle(_ context.Context, record slog.Record) error {
	if record.Message != "paynorm is ready" {
		return nil
	}
	at := map[string]string{}
	record.Attrs(func(a slog.Attr) bool {
		at[a.Key] = a.Value.String()
		return true
	})
	r.at <- at
	return nil
}
