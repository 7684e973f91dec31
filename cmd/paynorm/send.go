package main

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

const (
	// maxShown bounds how much of an answer is printed.
	maxShown = 500
	// maxConnections bounds the senders of a storm: by default paynorm lets more wait.
	maxConnections = config.DefaultMaxConnections
)

// sendCmd plays a provider.
type sendCmd struct {
	configFlag
	Provider   string `help:"The provider to play; all of them with --storm when left out." placeholder:"ID"`
	Merchant   string `help:"The endpoint's merchant. Default: the provider's only one." placeholder:"ID"`
	Case       string `help:"What happened to the payment; --list shows the cases. Default: it was paid." placeholder:"NAME"`
	Payment    string `help:"The provider's ID of the payment, to tell the life of one payment in several calls. Default: a new one." placeholder:"ID"`
	Reference  string `help:"The merchant's own reference. Default: made up." placeholder:"TEXT"`
	Count      int    `help:"How many webhooks to send, one after the other. Default: 1." default:"1" placeholder:"N"`
	URL        string `help:"Where paynorm listens. Default: http.address of the configuration." placeholder:"URL"`
	SigningKey string `help:"The provider's private key (PEM), where it signs with one. Default: the public key's file with -private before its extension." type:"path" placeholder:"FILE"`
	List       bool   `help:"List the provider's cases and stop."`

	Storm       bool   `help:"Send a realistic mix: lives of payments, repeats, late, forged and garbled deliveries; --count says how many."`
	Connections int    `help:"How many senders a storm has, at most 4096. Default: 8." default:"8" placeholder:"N"`
	Seed        uint64 `help:"What a storm is made from; equal seeds choose alike. Default: 1." default:"1" placeholder:"N"`
}

// Run sends the webhooks and prints what was answered. It fails on the first
// answer that is no acknowledgement.
func (c *sendCmd) Run(e *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.List {
		return c.list(e.stdout)
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Storm {
		return c.storm(e, cfg)
	}
	s, err := c.player(e, cfg, c.Provider, c.Merchant)
	if err != nil {
		return err
	}
	for range c.Count {
		if err := c.send(e, s); err != nil {
			return err
		}
	}
	return nil
}

// check refuses flags that leave nothing to do, or more than can be done.
func (c *sendCmd) check() error {
	switch {
	case c.Provider == "" && (c.List || !c.Storm):
		return fmt.Errorf("--provider is missing; there are %s", strings.Join(simulator.Providers(), ", "))
	case c.Count < 1:
		return fmt.Errorf("--count is %d: want at least 1", c.Count)
	case c.Connections < 1 || c.Connections > maxConnections:
		return fmt.Errorf("--connections is %d: want 1 to %d", c.Connections, maxConnections)
	}
	return nil
}

// player returns who plays a provider towards the endpoint of a merchant.
func (c *sendCmd) player(e *environment, cfg *configv1.Config, provider, merchant string) (*simulator.Simulator, error) {
	key, err := c.signingKey(cfg, provider, merchant)
	if err != nil {
		return nil, err
	}
	return simulator.New(simulator.Options{
		Config: cfg, Dir: filepath.Dir(c.Config), Provider: provider, Merchant: merchant, BaseURL: c.URL,
		Getenv: e.getenv, SigningKey: key,
	})
}

func (c *sendCmd) send(e *environment, s *simulator.Simulator) error {
	resp, err := s.Do(e.ctx, c.Case, simulator.IDs{Payment: c.Payment, Reference: c.Reference})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxShown))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s was answered %s %s", resp.Request.URL.Path, resp.Status, body)
	}
	_, err = fmt.Fprintln(e.stdout, strings.TrimSpace(resp.Request.URL.Path+" answered "+resp.Status+" "+string(body)))
	return err
}

func (c *sendCmd) list(out io.Writer) error {
	cases := simulator.Cases(c.Provider)
	if len(cases) == 0 {
		return fmt.Errorf("unknown provider %q; there are %s", c.Provider, strings.Join(simulator.Providers(), ", "))
	}
	for _, known := range cases {
		if _, err := fmt.Fprintf(out, "%-22s %s\n", known.Name, known.Title); err != nil {
			return err
		}
	}
	return nil
}

// signingKey reads the private key of the provider that is played; nil when the
// endpoint needs none.
func (c *sendCmd) signingKey(cfg *configv1.Config, provider, merchant string) (crypto.Signer, error) {
	file := c.SigningKey
	if file == "" {
		public := publicKeyFile(cfg, provider, merchant)
		if public == "" {
			return nil, nil
		}
		extension := filepath.Ext(public)
		if file = strings.TrimSuffix(public, extension) + "-private" + extension; !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(c.Config), file)
		}
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && c.SigningKey == "" {
		return nil, fmt.Errorf("%s signs its webhooks: give its private key with --signing-key (%s is not there)", provider, file)
	}
	if err != nil {
		return nil, err
	}
	return simulator.ParseSigningKey(text)
}

// publicKeyFile returns the file of the endpoint's first JWT key; "" when there is none.
func publicKeyFile(cfg *configv1.Config, provider, merchant string) string {
	for _, e := range cfg.GetEndpoints() {
		if e.GetProvider() != provider || merchant != "" && e.GetMerchant() != merchant {
			continue
		}
		for _, a := range e.GetAuth() {
			if file := a.GetJwt().GetPublicKey().GetFile(); file != "" {
				return file
			}
		}
	}
	return ""
}
