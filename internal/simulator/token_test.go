package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/simulator"
)

const oauth = `endpoints: [{provider: incode, merchant: acme, mode: live, auth: [
  {oauth2: {client_id: incode, client_secret: {env: SECRET}}},
  {header: {name: X-Webhook-Key, secret: {env: SECRET}}}]}]`

// edge answers the token endpoint and the webhook endpoint.
type edge struct {
	tokens   int    // handed out
	accepted string // the last token that was good
	status   int    // of webhooks
	answer   func(w http.ResponseWriter)
}

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth2/incode/acme/token" {
		e.accepted = r.Header.Get("Authorization")
		w.WriteHeader(e.status)
		return
	}
	id, password, _ := r.BasicAuth()
	if r.Method != http.MethodPost || id != "incode" || password != secret || r.PostFormValue("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if e.answer != nil {
		e.answer(w)
		return
	}
	e.tokens++
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":300}`, e.tokens)
}

func TestTokenIsFetchedOnceForItsLifetime(t *testing.T) {
	receiver := &edge{status: http.StatusNoContent}
	server := httptest.NewServer(receiver)
	defer server.Close()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	o := options(t, "incode", nil)
	o.Config, o.BaseURL, o.Now = parse(t, oauth), server.URL, func() time.Time { return now }
	s := newSimulator(t, o)
	send := func(wantToken string) {
		t.Helper()
		resp, err := s.Do(t.Context(), "", simulator.IDs{})
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if receiver.accepted != "Bearer "+wantToken {
			t.Errorf("sent %q, want %s", receiver.accepted, wantToken)
		}
	}
	send("token-1")
	now = now.Add(239 * time.Second)
	send("token-1")
	now = now.Add(2 * time.Second) // near its end
	send("token-2")
	receiver.status = http.StatusUnauthorized
	send("token-2") // refused, as after a restart with other secrets
	send("token-3")
}

func TestRefusedTokenIsAnError(t *testing.T) {
	receiver := &edge{}
	server := httptest.NewServer(receiver)
	defer server.Close()
	o := options(t, "incode", nil)
	o.Config, o.BaseURL = parse(t, oauth), server.URL
	where := server.URL + "/oauth2/incode/acme/token"
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   string
	}{
		{"status", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, "fetch token: " + where + " answered 503 Service Unavailable"},
		{"no JSON", func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) }, "fetch token: " + where + ": invalid character 'x' looking for beginning of value"},
		{"no token", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"expires_in":300}`)) }, "fetch token: " + where + ": no access_token, or no expires_in"},
	} {
		receiver.answer = tt.answer
		if _, err := newSimulator(t, o).Do(t.Context(), "", simulator.IDs{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
