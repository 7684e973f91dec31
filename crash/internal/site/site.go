// Package site prepares and runs the real binary: its configuration with all
// five providers, its secrets, its data, and the process itself.
package site

import (
	"crypto"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/loopback"
)

// Site is a configuration of its own below a folder. It stays the same over all
// restarts.
type Site struct {
	Dir     string // absolute, without links
	Data    string // data_dir
	File    string // the configuration
	HTTP    string // base URL of webhooks and read API
	Metrics string // URL
	NATS    string // URL
	Keys    Keys
	Config  *configv1.Config
}

// Keys are what a provider needs to play its part.
type Keys struct {
	ACI    string        // 64 hex digits
	QITech crypto.Signer // the private key
}

// New writes a configuration to dir, which must exist. natsURL is an external
// NATS; "" runs it embedded. more are further settings; may be nil.
func New(dir, natsURL string, keys Keys, more map[string]any) (*Site, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	s := &Site{Dir: dir, Data: filepath.Join(dir, "data"), File: filepath.Join(dir, "paynorm.yaml"), NATS: natsURL, Keys: keys}
	addresses, err := loopback.Addresses(4)
	if err != nil {
		return nil, err
	}
	s.HTTP, s.Metrics = "http://"+addresses[0], "http://"+addresses[1]+"/metrics"
	nats := map[string]any{"url": natsURL}
	if natsURL == "" {
		s.NATS = "nats://" + addresses[3]
		nats = map[string]any{"address": addresses[3]}
	}
	if err := writeSecrets(dir, keys); err != nil {
		return nil, err
	}
	settings := map[string]any{
		"http": address(addresses[0]), "metrics": address(addresses[1]), "grpc": address(addresses[2]), "nats": nats,
		"data_dir": s.Data, "endpoints": endpoints(),
	}
	maps.Copy(settings, more)
	text, err := json.MarshalIndent(settings, "", "  ") // JSON is YAML too
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.File, text, 0o600); err != nil {
		return nil, err
	}
	s.Config, err = config.Load(s.File)
	return s, err
}

func address(a string) map[string]any { return map[string]any{"address": a} }
