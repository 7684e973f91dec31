package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const clipToken = "clip-token-of-the-e2e-tests"

// clipEndpoint is an endpoint of merchant for Clip, with clipToken in its URL.
func clipEndpoint(t *testing.T, dir, merchant string) map[string]any {
	t.Helper()
	return map[string]any{
		"provider": "clip", "merchant": merchant, "mode": "live",
		"auth": []any{map[string]any{"url_token": map[string]any{"secret": secretFile(t, dir, "clip-token", clipToken)}}},
	}
}

// clipBody is a checkout webhook of Clip. minute is when the status was reached.
func clipBody(payment, status string, minute int) string {
	member := map[string]string{"CREATED": "created_at", "COMPLETED": "completed_at", "EXPIRED": "expired_at"}[status]
	at := time.Date(2026, 4, 1, 12, minute, 0, 0, time.UTC).Format(time.RFC3339)
	return fmt.Sprintf(`{"id":"n-%s-%s","api_version":"1.0","payment_request_id":%q,"transaction_id":"t-%s","resource":"CHECKOUT",`+
		`"resource_status":%q,"attempts":1,"sent_date":%q,%q:%q,"me_reference_id":"order-%s"}`,
		payment, status, payment, payment, status, at, member, at, payment)
}

// post sends body to Clip's endpoint of merchant and returns status and headers.
func (s *site) post(t *testing.T, merchant, token, body string) *http.Response {
	t.Helper()
	resp, err := http.Post(s.http+"/webhooks/clip/"+merchant+"?token="+token, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp
}

// accepted sends body and fails the test when it is not acknowledged.
func (s *site) accepted(t *testing.T, merchant, body string) {
	t.Helper()
	if resp := s.post(t, merchant, clipToken, body); resp.StatusCode != http.StatusOK {
		t.Fatalf("got %s for %s", resp.Status, body)
	}
}
