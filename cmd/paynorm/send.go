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

// maxShown bounds how much of an answer is printed.
const maxShown = 500

// sendCmd plays a provider.
type sendCmd struct {
	configFlag
	Provider   string `help:"The provider to play." required:"" placeholder:"ID"`
	Merchant   string `help:"The endpoint's merchant. Default: the provider's only one." placeholder:"ID"`
	Case       string `help:"What happened to the payment; --list shows the cases. Default: it was paid." placeholder:"NAME"`
	Payment    string `help:"The provider's ID of the payment, to tell the life of one payment in several calls. Default: a new one." placeholder:"ID"`
	Reference  string `help:"The merchant's own reference. Default: made up." placeholder:"TEXT"`
	Count      int    `help:"How many webhooks to send, one after the other." default:"1" placeholder:"N"`
	URL        string `help:"Where paynorm listens. Default: http.address of the configuration." placeholder:"URL"`
	SigningKey string `help:"The provider's private key (PEM), where it signs with one. Default: the public key's file with -private before its extension." type:"path" placeholder:"FILE"`
	List       bool   `help:"List the provider's cases and stop."`
}

// Run sends the webhooks and prints what was answered. It fails on the first
// answer that is no acknowledgement.
func (c *sendCmd) Run(e *environment) error {
	if c.List {
		return c.list(e.stdout)
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	key, err := c.signingKey(cfg)
	if err != nil {
		return err
	}
	s, err := simulator.New(simulator.Options{
		Config: cfg, Dir: filepath.Dir(c.Config), Provider: c.Provider, Merchant: c.Merchant, BaseURL: c.URL,
		Getenv: e.getenv, SigningKey: key,
	})
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
func (c *sendCmd) signingKey(cfg *configv1.Config) (crypto.Signer, error) {
	file := c.SigningKey
	if file == "" {
		public := c.publicKeyFile(cfg)
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
		return nil, fmt.Errorf("%s signs its webhooks: give its private key with --signing-key (%s is not there)", c.Provider, file)
	}
	if err != nil {
		return nil, err
	}
	return simulator.ParseSigningKey(text)
}

// publicKeyFile returns the file of the endpoint's first JWT key; "" when there is none.
func (c *sendCmd) publicKeyFile(cfg *configv1.Config) string {
	for _, e := range cfg.GetEndpoints() {
		if e.GetProvider() != c.Provider || c.Merchant != "" && e.GetMerchant() != c.Merchant {
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
