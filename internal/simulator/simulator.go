// Package simulator plays the payment providers: it builds webhooks as they
// send them, signed or encrypted with the keys of a configuration, for demos,
// tests and load. What it sends is invented and of the documented shape. It
// shares no code with the adapters, so that an error in one shows in the other.
package simulator

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
)

// Options say which endpoint to send to, and with what.
type Options struct {
	Config   *configv1.Config
	Dir      string // the folder of the configuration file
	Provider string
	Merchant string // may be empty when the provider has one endpoint only
	BaseURL  string // for example "http://127.0.0.1:8080"; default: http.address of the configuration

	Getenv func(string) (string, bool)
	Now    func() time.Time // default time.Now
	Rand   io.Reader        // for IDs and IVs; safe for concurrent use; default crypto/rand
	Client *http.Client     // for Do and for fetching OAuth2 tokens; default http.DefaultClient

	// SigningKey is the private key to the configured public key, an
	// *ecdsa.PrivateKey; needed where the endpoint has jwt (QI Tech).
	SigningKey crypto.Signer
	// JSONWrapper sends ACI's ciphertext as {"encryptedBody": …} instead of bare hex.
	JSONWrapper bool
}

// IDs are the identifiers inside a webhook. An empty one is made up, fresh for
// each request, so that each request is about a payment of its own. With
// Payment set, several requests tell the life of one payment.
type IDs struct {
	// Payment is the provider's ID of the payment. The amount follows from it.
	Payment string
	// Operation is the provider's ID of what is done to the payment: ACI's id of a
	// capture or refund, Clip's transaction_id. Empty: for ACI a fresh one, for
	// Clip one that follows from Payment.
	Operation string
	// Reference is the merchant's own reference, where the provider has one
	// (Clip, ACI). For Incode it is the document's ID.
	Reference string
}

// Simulator sends webhooks to one endpoint. It may be used concurrently.
type Simulator struct {
	player  player
	cases   map[string]scenario
	account string
	now     func() time.Time
	rand    io.Reader
	client  *http.Client
	target  *url.URL
	seal    sealer
}

// New returns a simulator for one endpoint of a configuration.
func New(o Options) (*Simulator, error) {
	p, err := findPlayer(o.Provider)
	if err != nil {
		return nil, err
	}
	e, err := findEndpoint(o.Config, o.Provider, o.Merchant)
	if err != nil {
		return nil, err
	}
	base, err := baseURL(o.BaseURL, o.Config)
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		player: p, cases: map[string]scenario{}, account: p.account(e.GetMerchant()),
		now: o.Now, rand: o.Rand, client: o.Client,
		target: base.JoinPath("webhooks", e.GetProvider(), e.GetMerchant()),
	}
	if s.now == nil {
		s.now = time.Now //nolint:forbidigo // A provider has its own clock; options replace it where it matters.
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.client == nil {
		s.client = http.DefaultClient
	}
	for _, c := range p.scenarios {
		s.cases[c.name] = c
	}
	if accounts := e.GetExpectAccounts(); len(accounts) > 0 {
		s.account = accounts[0]
	}
	s.seal = sealer{
		now: s.now, rand: s.rand, wrap: o.JSONWrapper,
		tokens: &tokenSource{client: s.client, now: s.now, url: base.JoinPath("oauth2", e.GetProvider(), e.GetMerchant(), "token").String()},
	}
	if err := s.seal.load(e.GetAuth(), config.Secrets{Dir: o.Dir, Getenv: o.Getenv}, o.SigningKey); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", e.GetProvider(), e.GetMerchant(), err)
	}
	return s, nil
}

// NewIDs makes up the IDs of a payment, to tell its life in several requests.
func (s *Simulator) NewIDs() (IDs, error) {
	m, err := newMoment(s, IDs{})
	if err != nil {
		return IDs{}, err
	}
	return IDs{Payment: m.ids.Payment, Reference: m.reference()}, nil
}

// Request builds the webhook of a case, ready to send; caseName "" is the
// provider's default case. Only an OAuth2 token is fetched over the network,
// once for its lifetime.
func (s *Simulator) Request(ctx context.Context, caseName string, ids IDs) (*http.Request, error) {
	if caseName == "" {
		caseName = s.player.standard
	}
	c, ok := s.cases[caseName]
	if !ok {
		return nil, fmt.Errorf("%s has no case %q; it has %s", s.player.id, caseName, strings.Join(s.player.names(), ", "))
	}
	m, err := newMoment(s, ids)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(c.body(m))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.player.id, caseName, err)
	}
	target := *s.target
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range s.player.headers(s.account) {
		header[name] = []string{value}
	}
	body, err = s.seal.apply(ctx, &target, header, body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL, req.Host, req.Header = &target, target.Host, header
	return req, nil
}

// Do sends the webhook of a case. The caller closes the answer's body.
func (s *Simulator) Do(ctx context.Context, caseName string, ids IDs) (*http.Response, error) {
	req, err := s.Request(ctx, caseName, ids)
	if err != nil {
		return nil, err
	}
	resp, err := Send(s.client, req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		s.seal.tokens.forget() // as the provider does: the next request fetches a new one
	}
	return resp, err
}

// Send sends a webhook with client. Its errors name the URL without the query, which
// is where some providers show their secret.
func Send(client *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := client.Do(req)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		shown := *req.URL
		shown.RawQuery = ""
		failed.URL = shown.Redacted()
	}
	return resp, err
}

func findEndpoint(cfg *configv1.Config, providerID, merchant string) (*configv1.Endpoint, error) {
	var merchants []string
	var found *configv1.Endpoint
	for _, e := range cfg.GetEndpoints() {
		if e.GetProvider() != providerID {
			continue
		}
		merchants = append(merchants, e.GetMerchant())
		if merchant == "" || e.GetMerchant() == merchant {
			found = e
		}
	}
	switch {
	case len(merchants) == 0:
		return nil, fmt.Errorf("the configuration has no endpoint for %s", providerID)
	case found == nil:
		return nil, fmt.Errorf("%s has no merchant %q; it has %s", providerID, merchant, strings.Join(merchants, ", "))
	case merchant == "" && len(merchants) > 1:
		return nil, fmt.Errorf("%s has several merchants, name one: %s", providerID, strings.Join(merchants, ", "))
	}
	return found, nil
}

// baseURL is where paynorm listens. An address of all interfaces is reached on this host.
func baseURL(base string, cfg *configv1.Config) (*url.URL, error) {
	if base == "" {
		host, port, err := net.SplitHostPort(cfg.GetHttp().GetAddress())
		if err != nil {
			return nil, fmt.Errorf("http.address: %w", err)
		}
		if host == "" || net.ParseIP(host).IsUnspecified() {
			host = "127.0.0.1"
		}
		base = "http://" + net.JoinHostPort(host, port)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("base URL %q: want http://host:port", base)
	}
	return u.JoinPath("/"), nil // a path that begins with a slash, which signatures cover
}
