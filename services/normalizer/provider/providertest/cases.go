package providertest

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Delivery is the content of a case's delivery.json.
type Delivery struct {
	// Source is the page that documents the body, or "synthetic".
	Source string `json:"source"`
	// ReceivedAt is when the delivery reached the edge.
	ReceivedAt time.Time `json:"received_at"`
	// Headers are sent beside those that the suite's Sign adds; names in lower case.
	Headers [][2]string `json:"headers"`
	// RawQuery is sent before what Sign adds.
	RawQuery string `json:"raw_query"`
	// Mode is the endpoint's mode, "live" or "test". Default "live".
	Mode string `json:"mode"`
	// Items is how many items the body holds. Absent: at least one.
	Items *int `json:"items"`
	// Absent lists texts that must not show in events, details and drift.
	Absent []string `json:"absent"`
}

type testCase struct {
	name     string // the folder
	body     []byte
	delivery Delivery
	provider string
}

const merchant = "acme"

// load reads all cases of the package under test.
func load(t testing.TB, a provider.Adapter) []testCase {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join("testdata", "*", "delivery.json"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no case: want testdata/<situation>/delivery.json (%v)", err)
	}
	slices.Sort(folders)
	cases := make([]testCase, 0, len(folders))
	for _, path := range folders {
		folder := filepath.Dir(path)
		c := testCase{name: filepath.Base(folder), provider: a.Describe().ID}
		c.body = read(t, filepath.Join(folder, "body"))
		dec := json.NewDecoder(bytes.NewReader(read(t, path)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c.delivery); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if c.delivery.Source == "" || c.delivery.ReceivedAt.IsZero() {
			t.Fatalf("%s: source and received_at are required", path)
		}
		cases = append(cases, c)
	}
	return cases
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unsigned is the case's delivery without proof, as it lies in the ledger.
func (c testCase) unsigned() provider.Delivery {
	d := provider.Delivery{
		Provider:   c.provider,
		Merchant:   merchant,
		Mode:       eventv1.Mode_MODE_LIVE,
		Method:     "POST",
		Path:       "/webhooks/" + c.provider + "/" + merchant,
		RawQuery:   c.delivery.RawQuery,
		Body:       bytes.Clone(c.body),
		RemoteAddr: netip.MustParseAddr("192.0.2.7"),
		ReceivedAt: c.delivery.ReceivedAt,
	}
	if c.delivery.Mode == "test" {
		d.Mode = eventv1.Mode_MODE_TEST
	}
	for _, h := range c.delivery.Headers {
		d.Headers = append(d.Headers, provider.Header{Name: h[0], Value: h[1]})
	}
	return d
}

// signed is the case's delivery as the provider sends it with one of its keys.
func (c testCase) signed(t testing.TB, s Suite, key int) provider.Delivery {
	t.Helper()
	d := c.unsigned()
	s.Sign(t, &d, bytes.Clone(c.body), key)
	return d
}
