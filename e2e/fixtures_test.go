package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// fixturesDir is where other cases of the same form can be run from.
const fixturesDir = "PAYNORM_FIXTURES"

// TestFixtures sends every case to one running paynorm, each to an endpoint of
// its own, and compares the answers, the events and the quarantine.
func TestFixtures(t *testing.T) {
	dir := "testdata/fixtures"
	if other := os.Getenv(fixturesDir); other != "" {
		dir = other
	}
	cases := fixtures(t, dir)
	secrets := t.TempDir()
	var endpoints []map[string]any
	for i, f := range cases {
		if !f.Isolated {
			endpoints = append(endpoints, f.endpoint(t, secrets, i))
		}
	}
	shared := newSite(t, endpoints)
	shared.serve(t)
	for i, f := range cases {
		t.Run(f.Provider+"/"+f.Name, func(t *testing.T) {
			s := shared
			if f.Isolated {
				s = newSite(t, []map[string]any{f.endpoint(t, secrets, i)})
				s.serve(t)
			}
			f.play(t, s)
			s.projected(t)
			f.check(t, s)
		})
	}
}

// endpoint is the configuration of f's endpoint; its secrets go to files.
func (f fixture) endpoint(t *testing.T, dir string, n int) map[string]any {
	t.Helper()
	files := map[string]any{}
	for name, text := range f.Endpoint.Secrets {
		files[name] = secretFile(t, dir, fmt.Sprintf("%d-%s", n, name), text)
	}
	auth := make([]any, len(f.Endpoint.Auth))
	for i, a := range f.Endpoint.Auth {
		auth[i] = withFiles(a, files)
	}
	return map[string]any{
		"provider": f.Provider, "merchant": f.merchant(), "mode": f.Endpoint.Mode,
		"auth": auth, "expect_accounts": f.Endpoint.ExpectAccounts,
	}
}

// withFiles replaces {env: NAME} and {file: NAME} by the file that holds NAME's text.
func withFiles(v any, files map[string]any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for _, source := range []string{"env", "file"} {
		if name, ok := m[source].(string); ok && len(m) == 1 && files[name] != nil {
			return files[name]
		}
	}
	changed := map[string]any{}
	for name, member := range m {
		changed[name] = withFiles(member, files)
	}
	return changed
}

// play sends f's requests and checks the answers.
func (f fixture) play(t *testing.T, s *site) {
	saved := map[string]string{}
	for i, st := range f.Steps {
		if st.DelayMS > 0 {
			<-time.After(time.Duration(st.DelayMS) * time.Millisecond) // the case says so
		}
		resp, body := f.send(t, s, st, saved)
		want := st.Expect
		if resp.StatusCode != want.Status && !slices.Contains(want.StatusAny, resp.StatusCode) {
			t.Errorf("step %d: got %s %s, want %d%v", i+1, resp.Status, tail(string(body), 300), want.Status, want.StatusAny)
		}
		if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); want.ContentType != "" && media != want.ContentType {
			t.Errorf("step %d: content type %q, want %q", i+1, media, want.ContentType)
		}
		if want.Body != nil && string(body) != *want.Body {
			t.Errorf("step %d: body %q, want %q", i+1, body, *want.Body)
		}
		var answer map[string]any
		if want.JSON != nil || st.Save != nil {
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Errorf("step %d: %v", i+1, err)
			}
		}
		if err := matches(want.JSON, answer); err != nil {
			t.Errorf("step %d: %v", i+1, err)
		}
		for name, member := range st.Save {
			saved["{{"+name+"}}"] = fmt.Sprint(answer[member])
		}
	}
}

func (f fixture) send(t *testing.T, s *site, st step, saved map[string]string) (*http.Response, []byte) {
	t.Helper()
	merchant := f.merchant()
	if st.Request.PathMerchant != "" {
		merchant = st.Request.PathMerchant
	}
	path := "/webhooks/" + f.Provider + "/" + merchant
	if st.Request.Endpoint == "token" {
		path = "/oauth2/" + f.Provider + "/" + merchant + "/token"
	}
	body := st.body(t)
	method := st.Request.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, s.http+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = st.Request.Query
	for _, h := range st.Request.Headers {
		value := h[1]
		for name, text := range saved {
			value = strings.ReplaceAll(value, name, text)
		}
		req.Header.Add(h[0], value)
	}
	if sign := st.Request.Sign; sign != nil {
		req.Header.Add(sign.Header, sign.token(t, f.Endpoint.Secrets, method, path, body))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, answer
}

// check compares what was published for f's endpoint, in the read API and on NATS.
func (f fixture) check(t *testing.T, s *site) {
	events := s.events(t, fmt.Sprintf("provider = %q AND merchant = %q", f.Provider, f.merchant()))
	published, notices := f.messages(t, s)
	if len(published) != len(events) {
		t.Errorf("%d events on NATS, %d in the read API", len(published), len(events))
	}
	var reasons []string
	for _, m := range notices {
		reasons = append(reasons, m.Headers().Get("Paynorm-Reason"))
	}
	err := f.fits(events, reasons)
	for _, other := range f.Or {
		if err != nil && other.fits(events, reasons) == nil {
			err = nil
		}
	}
	if err != nil {
		t.Error(err)
	}
	f.checkVersions(t, events)
	text := show(events)
	for _, m := range slices.Concat(published, notices) {
		text += string(m.Data())
		for _, secret := range f.ExpectAbsentHeaders {
			if headers := show(m.Headers()); strings.Contains(m.Subject()+headers, secret) {
				t.Errorf("%q is in a subject or header: %s %s", secret, m.Subject(), headers)
			}
		}
	}
	for _, secret := range f.ExpectAbsent {
		if strings.Contains(text, secret) {
			t.Errorf("%q was published", secret)
		}
	}
}

// checkVersions checks that the versions of each payment count 1, 2, 3 over what changed it.
func (f fixture) checkVersions(t *testing.T, events []map[string]any) {
	t.Helper()
	versions := map[any]int{}
	for _, e := range events {
		switch e["disposition"] {
		case "DISPOSITION_APPLIED", "DISPOSITION_CORRECTION":
			versions[e["payment"]]++
			if got := fmt.Sprint(e["paymentVersion"]); got != fmt.Sprint(versions[e["payment"]]) {
				t.Errorf("payment_version %s, want %d", got, versions[e["payment"]])
			}
		}
	}
}

// messages returns the messages of f's endpoint on NATS.
func (f fixture) messages(t *testing.T, s *site) (events, notices []jetstream.Msg) {
	t.Helper()
	for _, m := range s.stream(t, "PAYNORM_EVENTS") {
		token := strings.Split(m.Subject(), ".")
		switch {
		case token[0] == "quarantine" && token[2] == f.Provider && token[3] == f.merchant():
			notices = append(notices, m)
		case token[0] != "quarantine" && token[3] == f.Provider && token[4] == f.merchant():
			events = append(events, m)
		}
	}
	return events, notices
}
