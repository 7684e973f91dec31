package ingest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Tokens is the OAuth2 token endpoint of providers that authenticate with a
// bearer token of ours (RFC 6749, section 4.4).
type Tokens struct {
	Endpoints Endpoints
	Now       func() time.Time
}

// IssueToken checks the client's credentials in authorization (HTTP Basic) and
// the form in body, and returns the JSON to answer with. Errors wrap
// endpoint.ErrNotFound, provider.ErrNotAuthentic or provider.ErrUndecodable.
func (t *Tokens) IssueToken(_ context.Context, providerID, merchant, authorization string, body []byte) ([]byte, error) {
	e, err := t.Endpoints.Find(providerID, merchant)
	if err != nil {
		return nil, err
	}
	if len(e.Keys.OAuth2) == 0 {
		return nil, fmt.Errorf("%w: the endpoint has no oauth2", endpoint.ErrNotFound)
	}
	client, err := authenticate(e.Keys.OAuth2, authorization)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	// A parameter that comes twice means that sender and receiver could read different ones (RFC 6749, section 3.2).
	if err != nil || !slices.Equal(form["grant_type"], []string{"client_credentials"}) {
		return nil, fmt.Errorf("%w: want the form grant_type=client_credentials", provider.ErrUndecodable)
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}{
		scheme.NewBearer(client, providerID, merchant, t.Now().Add(client.TokenTTL), nonce),
		"Bearer", int64(client.TokenTTL / time.Second),
	})
}

// authenticate finds the client whose ID and secret authorization carries. All
// clients are compared, so that the time does not tell which part was wrong.
func authenticate(clients []provider.OAuth2Client, authorization string) (found provider.OAuth2Client, err error) {
	kind, encoded, _ := strings.Cut(authorization, " ")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	id, secret, colon := strings.Cut(string(text), ":")
	if !strings.EqualFold(kind, "Basic") || err != nil || !colon {
		return found, fmt.Errorf("%w: want HTTP Basic with the client's ID and secret", provider.ErrNotAuthentic)
	}
	// By RFC 6749, section 2.3.1, both are encoded as in a form; many clients send
	// them as they are. What cannot be decoded is "", which equals nothing.
	formID, _ := url.QueryUnescape(id)
	formSecret, _ := url.QueryUnescape(secret)
	ok := false
	for _, c := range clients {
		asIs, asForm := isClient(c, id, secret), isClient(c, formID, formSecret)
		if asIs || asForm {
			found, ok = c, true
		}
	}
	if !ok {
		return found, fmt.Errorf("%w: wrong client ID or secret", provider.ErrNotAuthentic)
	}
	return found, nil
}

// isClient compares both parts, whether or not the ID is right.
func isClient(c provider.OAuth2Client, id, secret string) bool {
	idMatches, secretMatches := scheme.Equal(id, provider.Secret(c.ClientID)), scheme.Equal(secret, c.Value)
	return idMatches && secretMatches
}
