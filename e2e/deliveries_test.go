package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// call posts body as JSON and returns the answer.
func (s *site) call(t *testing.T, path, body string) (status int, answer map[string]any) {
	t.Helper()
	resp, err := http.Post(s.http+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// grpcurl calls a method as people do.
func (s *site) grpcurl(t *testing.T, method, request string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), programs(t).grpcurl, "-plaintext", "-d", request, s.grpc, "paynorm.normalizer.v1."+method).CombinedOutput()
	return string(out), err
}

func TestDeliveriesCanBeReadAndTriedAgain(t *testing.T) {
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")})
	s.serve(t)
	body := clipBody("p1", "COMPLETED", 5)
	s.accepted(t, "acme", body)
	s.accepted(t, "acme", clipBody("p1", "TELEPORTED", 6))
	s.projected(t)

	list, _ := s.get(t, "/v1/deliveries", url.Values{"filter": {`quarantine_reason = "*"`}})["deliveries"].([]any)
	if len(list) != 1 {
		t.Fatalf("quarantined: %v", list)
	}
	odd, _ := list[0].(map[string]any)["name"].(string)
	all, _ := s.get(t, "/v1/deliveries", url.Values{"page_size": {"1"}, "filter": {"receive_time > 2020-01-01T00:00:00Z"}})["nextPageToken"].(string)
	if all == "" {
		t.Error("the first page of two has no token")
	}
	got := s.get(t, "/v1/deliveries/d1-0", url.Values{"view": {"DELIVERY_VIEW_FULL"}})
	if raw, err := base64.StdEncoding.DecodeString(fmt.Sprint(got["body"])); err != nil || string(raw) != body || got["rawQuery"] != "token=REDACTED" {
		t.Errorf("d1-0 is %v (%v)", got, err)
	}

	status, answer := s.call(t, "/v1/"+odd+":reprocess", `{}`)
	if items, _ := answer["items"].([]any); status != http.StatusOK || len(items) != 1 || items[0].(map[string]any)["change"] != "REPROCESS_CHANGE_NONE" {
		t.Errorf("reprocess: %d %v", status, answer)
	}
	dry, err := json.Marshal(map[string]any{"delivery": map[string]any{"provider": "clip", "merchant": "acme", "mode": "MODE_LIVE", "body": []byte(clipBody("p1", "CREATED", 1))}})
	if err != nil {
		t.Fatal(err)
	}
	status, answer = s.call(t, "/v1/deliveries:normalize", string(dry))
	if text := fmt.Sprint(answer); status != http.StatusOK || !strings.Contains(text, "DISPOSITION_STALE") || !strings.Contains(text, "CHECKOUT CREATED") {
		t.Errorf("normalize: %d %v", status, answer)
	}
	if status, answer := s.call(t, "/v1/deliveries:reprocess", `{"filter":"quarantine_reason = \"*\"","validateonly":true}`); status != http.StatusBadRequest || answer["title"] != "Bad Request" {
		t.Errorf("a spelling mistake: %d %v", status, answer)
	}
	if status, answer := s.call(t, "/v1/deliveries:reprocess", `{"filter":"quarantine_reason = \"*\""}`); status != http.StatusOK || answer["deliveryCount"] != float64(1) {
		t.Errorf("reprocess all: %d %v", status, answer)
	}

	if out, err := s.grpcurl(t, "DeliveryService/ListDeliveries", `{"filter":"provider = clip"}`); err != nil || strings.Count(out, `"name": "deliveries/`) != 2 {
		t.Errorf("grpcurl: %v\n%s", err, out)
	}
	out, err := s.grpcurl(t, "DeliveryService/ListDeliveries", `{"filter":"amount = 5"}`)
	if err == nil || !strings.Contains(out, "InvalidArgument") || !strings.Contains(out, "INVALID_FIELD") || !strings.Contains(out, "byte 0") {
		t.Errorf("grpcurl with a wrong filter: %v\n%s", err, out)
	}
}

func TestEventsAreStreamedToABrowserAndResumed(t *testing.T) {
	s := newSite(t, []map[string]any{clipEndpoint(t, t.TempDir(), "acme")})
	s.serve(t)
	for i := range 3 {
		s.accepted(t, "acme", clipBody(fmt.Sprint("p", i), "COMPLETED", 5))
	}
	s.projected(t)
	read := func(lastEventID string, n int) (ids []string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http+"/v1/events:watch?after_cursor=0", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		if lastEventID != "" {
			r.Header.Set("Last-Event-ID", lastEventID)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		if first, err := lines.ReadString('\n'); !strings.HasPrefix(first, "retry: ") {
			t.Fatalf("the stream begins with %q (%v)", first, err)
		}
		for len(ids) < n {
			line, err := lines.ReadString('\n')
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				ids = append(ids, strings.TrimSpace(id))
			}
		}
		return ids
	}
	if got := strings.Join(read("", 2), " "); got != "1 2" {
		t.Errorf("from the beginning: %s", got)
	}
	if got := strings.Join(read("2", 1), " "); got != "3" {
		t.Errorf("after 2: %s", got)
	}
}
