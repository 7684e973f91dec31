package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture is one case below testdata/fixtures: requests in, answers, events and
// quarantine out.
type fixture struct {
	Name     string
	Provider string
	Why      string
	Merchant string
	Isolated bool
	Endpoint struct {
		Mode           string
		Auth           []map[string]any
		ExpectAccounts []string          `json:"expect_accounts"`
		Secrets        map[string]string `json:"secrets_for_test"`
	}
	Steps []step
	outcome
	Or                  []outcome
	ExpectAbsent        []string `json:"expect_absent"`
	ExpectAbsentHeaders []string `json:"expect_absent_headers"`
}

type outcome struct {
	Events      []map[string]any `json:"expect_events"`
	Quarantined []string         `json:"expect_quarantined"`
}

type step struct {
	Request struct {
		Method       string
		Query        string
		Headers      [][2]string
		Body         string
		BodyBase64   string `json:"body_base64"`
		PadTo        int    `json:"pad_to"`
		Endpoint     string
		PathMerchant string `json:"path_merchant"`
		Sign         *signature
	}
	Expect struct {
		Status      int
		StatusAny   []int   `json:"status_any"`
		ContentType string  `json:"content_type"`
		Body        *string `json:"body"`
		JSON        map[string]any
	}
	Save    map[string]string
	DelayMS int `json:"delay_ms"`
}

// body returns the bytes to send.
func (s step) body(t *testing.T) []byte {
	t.Helper()
	b := []byte(s.Request.Body)
	if s.Request.BodyBase64 != "" {
		var err error
		if b, err = base64.StdEncoding.DecodeString(s.Request.BodyBase64); err != nil {
			t.Fatal(err)
		}
	}
	if pad := s.Request.PadTo - len(b); pad > 0 {
		b = append(b, strings.Repeat(" ", pad)...)
	}
	return b
}

// merchant returns the merchant of the case's own endpoint.
func (f fixture) merchant() string {
	if f.Merchant != "" {
		return f.Merchant
	}
	name := strings.ToLower(f.Name)
	return name[:min(len(name), 63)]
}

// fixtures returns all cases below dir.
func fixtures(t *testing.T, dir string) []fixture {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures below %s (%v)", dir, err)
	}
	var all []fixture
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f fixture
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, f)
	}
	return all
}
