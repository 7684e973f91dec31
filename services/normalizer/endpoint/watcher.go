package endpoint

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

const (
	// pollInterval is how often the files are looked at.
	pollInterval = 2 * time.Second
	// settleTime is how long a change must stand still before it is loaded. A file
	// that is being written can be a valid one with fewer endpoints, or with none.
	settleTime = 500 * time.Millisecond
)

// Watcher reloads a registry when it is told to, and when the content of the
// configuration file or of a secret file changes. A bad file keeps the old
// endpoints.
type Watcher struct {
	Started  *configv1.Config // what the process was started with
	Registry *Registry
	Load     func() (*configv1.Config, *Set, error) // reads the configuration file
	Signal   <-chan os.Signal                       // reloads at once, for example on SIGHUP; may be nil
	Logger   *slog.Logger
	Reloaded func(error) // called after each attempt to reload, with its outcome; may be nil

	files  *watchedFiles
	loaded content // what the files held when they were loaded last
}

// NewWatcher returns a watcher of the configuration file path. Make it before
// the file is loaded, so that no change in between is missed, and then set the
// exported fields.
func NewWatcher(path string) *Watcher {
	files := &watchedFiles{path: path}
	return &Watcher{files: files, loaded: files.content()}
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	seen := w.loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Signal:
			seen = w.files.content()
			w.reload(seen)
		case <-timer.C:
			now := w.files.content()
			if now != w.loaded && now == seen {
				w.reload(now)
			}
			seen = now
		}
		if seen != w.loaded {
			timer.Reset(settleTime)
			continue
		}
		timer.Reset(pollInterval)
	}
}

// reload loads the files, which hold at least what is in now: a change that
// comes while they are being read is found by the next look.
func (w *Watcher) reload(now content) {
	w.loaded = now
	var cfg *configv1.Config
	err := w.Registry.Reload(func() (set *Set, err error) {
		cfg, set, err = w.Load()
		return set, err
	})
	if err != nil {
		w.Logger.Error("configuration not reloaded, the old one stays in use", "file", w.files.path, "error", err)
	} else {
		w.Logger.Info("configuration reloaded", "file", w.files.path, "endpoints", w.Registry.Len())
		w.warn(cfg)
	}
	if w.Reloaded != nil {
		w.Reloaded(err)
	}
}

// warn names what of the configuration that was reloaded is not in use.
func (w *Watcher) warn(reloaded *configv1.Config) {
	if settings := config.NeedRestart(w.Started, reloaded); len(settings) > 0 {
		w.Logger.Warn("changed settings need a restart", "file", w.files.path, "settings", strings.Join(settings, ", "))
	}
}
