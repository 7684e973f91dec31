package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxTokenAnswer is far above any token.
const maxTokenAnswer = 64 << 10

// tokenSource fetches OAuth2 tokens with client credentials, as Incode does
// from whoever receives its webhooks.
// Source: https://developer.incode.com/docs/authenticating-webhooks-requests
type tokenSource struct {
	client   *http.Client
	now      func() time.Time
	url      string
	clientID string
	secret   string

	mu      sync.Mutex
	current string
	until   time.Time
}

// token returns a token that is good for some time yet.
func (s *tokenSource) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != "" && s.now().Before(s.until) {
		return s.current, nil
	}
	token, ttl, err := s.fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	s.current, s.until = token, s.now().Add(ttl*4/5) // the rest is for requests on their way
	return token, nil
}

// forget makes the next request fetch a new token.
func (s *tokenSource) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = ""
}

func (s *tokenSource) fetch(ctx context.Context) (token string, ttl time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(s.clientID, s.secret)
	resp, err := s.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close() // Read to its end, or given up.
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s answered %s", s.url, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxTokenAnswer)).Decode(&answer); err != nil {
		return "", 0, fmt.Errorf("%s: %w", s.url, err)
	}
	if answer.AccessToken == "" || answer.ExpiresIn <= 0 {
		return "", 0, fmt.Errorf("%s: no access_token, or no expires_in", s.url)
	}
	return answer.AccessToken, time.Duration(answer.ExpiresIn) * time.Second, nil
}
