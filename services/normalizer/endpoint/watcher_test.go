package endpoint_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// watched is a registry that is being watched, within a synctest bubble.
type watched struct {
	dir, path string
	registry  *endpoint.Registry
	signal    chan os.Signal
	outcomes  []error // of each reload
	log       bytes.Buffer
}

const oneEndpoint = "endpoints: [{provider: plain, merchant: acme, mode: live, auth: [{url_token: {secret: {file: token}}}]}]\n"

// watch runs test with a watcher that started with one endpoint.
func watch(t *testing.T, test func(w *watched)) {
	dir := t.TempDir()
	w := &watched{dir: dir, path: write(t, dir, "paynorm.yaml", oneEndpoint)}
	write(t, dir, "token", "first-token")
	synctest.Test(t, func(t *testing.T) {
		w.signal = make(chan os.Signal, 1) // in the bubble, whose clock stands still otherwise
		watcher := endpoint.NewWatcher(w.path)
		load := func() (*configv1.Config, *endpoint.Set, error) { return endpoint.Load(w.path, adapters(), noEnv) }
		started, set, err := load()
		if err != nil {
			t.Fatal(err)
		}
		w.registry = endpoint.NewRegistry(set)
		watcher.Started, watcher.Registry, watcher.Load, watcher.Signal = started, w.registry, load, w.signal
		watcher.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
		watcher.Reloaded = func(err error) { w.outcomes = append(w.outcomes, err) }
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { watcher.Run(ctx) })
		test(w)
		cancel()
		running.Wait()
	})
}

// wait lets the watcher's clock run on.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *watched) token(t *testing.T, merchant string) provider.Secret {
	t.Helper()
	e, err := w.registry.Find("plain", merchant)
	if err != nil {
		t.Fatal(err)
	}
	return e.Keys.URLTokens[0].Value
}

func TestUnchangedFilesAreNotReloaded(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "token", "first-token") // the same content at another time
		wait(time.Hour)
		if len(w.outcomes) != 0 {
			t.Errorf("%d reloads, want none", len(w.outcomes))
		}
	})
}

func TestChangedSecretIsReloaded(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "token", "second-token")
		wait(3 * time.Second)
		if got := w.token(t, "acme"); got != "second-token" || len(w.outcomes) != 1 {
			t.Errorf("token reloaded: %v, %d reloads; want the second one after one reload", got == "second-token", len(w.outcomes))
		}
	})
}

func TestChangedConfigurationIsReloaded(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "other", "other-token")
		write(t, w.dir, "paynorm.yaml", oneEndpoint+"# more\n")
		wait(3 * time.Second)
		write(t, w.dir, "paynorm.yaml", strings.NewReplacer("acme", "emca", "file: token", "file: other").Replace(oneEndpoint))
		wait(3 * time.Second)
		if got := w.token(t, "emca"); got != "other-token" || len(w.outcomes) != 2 {
			t.Errorf("renamed: %v, %d reloads; want the new merchant after two reloads", got == "other-token", len(w.outcomes))
		}
		write(t, w.dir, "other", "changed-token") // a file that only the new configuration names
		wait(3 * time.Second)
		if got := w.token(t, "emca"); got != "changed-token" {
			t.Error("the secret of the new configuration is not watched")
		}
	})
}

func TestFileBeingWrittenIsNotLoaded(t *testing.T) {
	watch(t, func(w *watched) {
		wait(1999 * time.Millisecond)
		write(t, w.dir, "paynorm.yaml", "") // valid, and without endpoints
		wait(100 * time.Millisecond)
		write(t, w.dir, "paynorm.yaml", oneEndpoint)
		wait(time.Hour)
		if len(w.outcomes) != 0 {
			t.Errorf("%d reloads, want none", len(w.outcomes))
		}
	})
}

func TestBadFileKeepsTheOldEndpointsAndIsReported(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "paynorm.yaml", "endpoints: [{}]\n")
		wait(time.Hour)
		if got := w.token(t, "acme"); got != "first-token" {
			t.Error("the old token is gone")
		}
		if len(w.outcomes) != 1 || w.outcomes[0] == nil {
			t.Fatalf("outcomes %v, want one error", w.outcomes)
		}
		if log := w.log.String(); !strings.Contains(log, "configuration not reloaded") || !strings.Contains(log, "paynorm.yaml:1:13: endpoints[0].merchant: is required") {
			t.Errorf("log does not say what is wrong: %s", log)
		}
		write(t, w.dir, "paynorm.yaml", strings.Replace(oneEndpoint, "acme", "emca", 1))
		wait(3 * time.Second)
		w.token(t, "emca")
	})
}

func TestSettingsThatNeedARestartAreReported(t *testing.T) {
	const warning = `level=WARN msg="changed settings need a restart"`
	watch(t, func(w *watched) {
		write(t, w.dir, "paynorm.yaml", strings.Replace(oneEndpoint, "acme", "emca", 1))
		wait(3 * time.Second)
		if log := w.log.String(); strings.Contains(log, warning) {
			t.Errorf("endpoints alone have changed, and the log says %s", log)
		}
		write(t, w.dir, "paynorm.yaml", oneEndpoint+"http: {max_body_bytes: 5}\nmetrics: {address: '127.0.0.1:0'}\n")
		wait(3 * time.Second)
		w.token(t, "acme") // the endpoints are taken over all the same
		if log, want := w.log.String(), warning+" file="+w.path+` settings="http.max_body_bytes, metrics.address"`; !strings.Contains(log, want) {
			t.Errorf("log does not say %s: %s", want, log)
		}
		w.log.Reset()
		write(t, w.dir, "paynorm.yaml", oneEndpoint)
		wait(3 * time.Second)
		if log := w.log.String(); strings.Contains(log, warning) || !strings.Contains(log, "configuration reloaded") {
			t.Errorf("everything is as it was at the start, and the log says %s", log)
		}
	})
}

func TestReloadFollowsWhenAMissingSecretAppears(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "paynorm.yaml", strings.Replace(oneEndpoint, "file: token", "file: later", 1))
		wait(3 * time.Second)
		if len(w.outcomes) != 1 || w.outcomes[0] == nil {
			t.Fatalf("outcomes %v, want one error", w.outcomes)
		}
		write(t, w.dir, "later", "later-token")
		wait(3 * time.Second)
		if got := w.token(t, "acme"); got != "later-token" {
			t.Error("the secret that came later is not in use")
		}
	})
}

func TestSignalReloadsAtOnce(t *testing.T) {
	watch(t, func(w *watched) {
		write(t, w.dir, "token", "second-token")
		w.signal <- syscall.SIGHUP
		synctest.Wait()
		if got := w.token(t, "acme"); got != "second-token" {
			t.Error("the new token is not in use")
		}
		wait(time.Hour)
		if len(w.outcomes) != 1 {
			t.Errorf("%d reloads, want one: the change that the signal loaded is none any more", len(w.outcomes))
		}
	})
}

func TestChangeBeforeTheWatcherRunsIsFound(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "paynorm.yaml", oneEndpoint)
	write(t, dir, "token", "first-token")
	watcher := endpoint.NewWatcher(path)
	write(t, dir, "token", "second-token")
	synctest.Test(t, func(t *testing.T) {
		reloads := 0
		watcher.Started, watcher.Registry = &configv1.Config{}, endpoint.NewRegistry(&endpoint.Set{})
		watcher.Logger = slog.New(slog.DiscardHandler)
		watcher.Load = func() (*configv1.Config, *endpoint.Set, error) {
			reloads++
			return &configv1.Config{}, &endpoint.Set{}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		watcher.Run(ctx)
		if reloads != 1 {
			t.Errorf("%d reloads, want one", reloads)
		}
	})
}

func TestRequestsFindTheirEndpointDuringReloads(t *testing.T) {
	set := func(secret string) *endpoint.Set {
		set, err := build(t, "", "endpoints: [{provider: plain, merchant: acme, mode: live, auth: [{url_token: {secret: {env: A}}}]}]", env(map[string]string{"A": secret}))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	sets := []*endpoint.Set{set("token-one"), set("token-two")}
	registry := endpoint.NewRegistry(sets[0])
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 1000 {
				if e, err := registry.Find("plain", "acme"); err != nil || len(e.Keys.URLTokens) != 1 {
					t.Errorf("got %v, %v, want an endpoint with one token", e, err)
				}
			}
		})
	}
	for i := range 1000 {
		if err := registry.Reload(func() (*endpoint.Set, error) { return sets[i%2], nil }); err != nil {
			t.Error(err)
		}
	}
	running.Wait()
}
