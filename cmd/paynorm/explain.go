package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/paynorm/paynorm/internal/config"
)

const (
	// explainPatience bounds each question to paynorm.
	explainPatience = 30 * time.Second
	// maxExplanation bounds an answer.
	maxExplanation = 32 << 20
	// tokenVariable is the environment variable with the token of the read API.
	tokenVariable = "PAYNORM_TOKEN"
)

// explainCmd tells the story of a payment.
type explainCmd struct {
	configFlag
	Payment string `arg:"" help:"payments/ID, the provider's ID of the payment, or the merchant's reference."`
	URL     string `help:"Where paynorm listens. Default: http.address of the configuration. A token is taken from PAYNORM_TOKEN." placeholder:"URL"`
	JSON    bool   `help:"Print the explanation as JSON."`
}

// Run prints the story. It fails when no payment, or more than one, is meant.
func (c *explainCmd) Run(e *environment) error {
	base, err := c.base()
	if err != nil {
		return err
	}
	token, _ := e.getenv(tokenVariable)
	api := readAPI{base: base, token: token, client: &http.Client{Timeout: explainPatience}}
	name := c.Payment
	if !strings.HasPrefix(name, "payments/") {
		if name, err = api.find(e.ctx, c.Payment, e.stdout); err != nil {
			return err
		}
	}
	answer, err := api.get(e.ctx, "/v1/"+name+":explain", nil)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if c.JSON {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, answer, "", "  "); err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, pretty.String())
		return err
	}
	var story struct{ Text string }
	if err := json.Unmarshal(answer, &story); err != nil {
		return err
	}
	_, err = io.WriteString(e.stdout, story.Text)
	return err
}

// base returns where paynorm is asked.
func (c *explainCmd) base() (string, error) {
	if c.URL != "" {
		return strings.TrimSuffix(c.URL, "/"), nil
	}
	cfg, err := config.Load(c.Config)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("where does paynorm listen? Give --url, or --config: %w", err)
	}
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(cfg.GetHttp().GetAddress())
	if err != nil {
		return "", fmt.Errorf("http.address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() { // listens on all; this is one of them
		host = "localhost"
	}
	scheme := "http://"
	if cfg.GetHttp().GetTls() != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), nil
}

// readAPI asks paynorm over HTTP.
type readAPI struct {
	base, token string
	client      *http.Client
}

// find returns the name of the payment that has id as the provider's ID or as
// the merchant's reference. Several are listed to out, and are an error.
func (a readAPI) find(ctx context.Context, id string, out io.Writer) (string, error) {
	type found struct {
		Name, Provider, Merchant, ProviderPaymentID, MerchantReference, UpdateTime string
	}
	var all []found
	seen := map[string]bool{}
	more := false
	for _, field := range []string{"provider_payment_id", "merchant_reference"} {
		answer, err := a.get(ctx, "/v1/payments", url.Values{"filter": {field + " = " + quoted(id)}})
		if err != nil {
			return "", err
		}
		var page struct {
			Payments      []found
			NextPageToken string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return "", err
		}
		more = more || page.NextPageToken != ""
		for _, p := range page.Payments {
			if !seen[p.Name] {
				seen[p.Name] = true
				all = append(all, p)
			}
		}
	}
	switch len(all) {
	case 0:
		return "", fmt.Errorf("no payment has the provider's ID or the merchant's reference %q", id)
	case 1:
		return all[0].Name, nil
	}
	for _, p := range all {
		_, _ = fmt.Fprintf(out, "%s  %s/%s  %s  %s  %s\n", p.Name, p.Provider, p.Merchant, p.ProviderPaymentID, p.MerchantReference, p.UpdateTime)
	}
	count := strconv.Itoa(len(all))
	if more {
		count = "more than " + count
	}
	return "", fmt.Errorf("%s payments have the ID or reference %q: name one of them", count, id)
}

// quoted writes text as a value of a filter.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// get returns the JSON at path.
func (a readAPI) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	target, err := url.Parse(a.base)
	if err != nil {
		return nil, err
	}
	if target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("%q: want http://host:port", a.base)
	}
	target = target.JoinPath(path)
	target.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxExplanation))
	if err != nil || resp.StatusCode == http.StatusOK {
		return body, err
	}
	var p struct{ Title, Detail string }
	if json.Unmarshal(body, &p) != nil || p.Title == "" {
		return nil, fmt.Errorf("paynorm at %s answers %s", a.base, resp.Status)
	}
	if p.Detail != "" {
		p.Title += ": " + p.Detail
	}
	return nil, fmt.Errorf("paynorm at %s answers %d %s", a.base, resp.StatusCode, p.Title)
}
