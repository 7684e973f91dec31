package providertest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/encoding/protojson"
)

// golden is the test binary's flag; the testing package parses it before the tests run.
var golden = flag.Bool("golden", false, "rewrite result.golden.json of all cases")

// The golden file mirrors provider.Result with names that do not follow renamings in Go.
type goldenResult struct {
	Items []goldenItem `json:"items"`
	Drift []string     `json:"drift,omitempty"`
}

type goldenItem struct {
	Event      json.RawMessage `json:"event,omitempty"`
	Key        []string        `json:"key,omitempty"`
	Payment    []string        `json:"payment,omitempty"`
	IfPaid     string          `json:"if_paid,omitempty"`
	IfPaidRow  string          `json:"if_paid_row,omitempty"`
	Skip       string          `json:"skip,omitempty"`
	Quarantine string          `json:"quarantine,omitempty"`
	Detail     string          `json:"detail,omitempty"`
	Mode       string          `json:"mode,omitempty"`
	Row        string          `json:"row,omitempty"`
}

// encode writes r in the form of a golden file. protojson varies its white
// space on purpose; indenting the whole makes it stable.
func encode(t testing.TB, r provider.Result) []byte {
	t.Helper()
	g := goldenResult{Items: []goldenItem{}, Drift: r.Drift}
	for _, it := range r.Items {
		g.Items = append(g.Items, encodeItem(t, it))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(g); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encodeItem(t testing.TB, it provider.Item) goldenItem {
	t.Helper()
	var g goldenItem
	if f := it.Fact; f != nil {
		event, err := protojson.Marshal(f.Event)
		if err != nil {
			t.Fatalf("the event cannot be written as JSON: %v", err)
		}
		g.Event, g.Key, g.Payment = event, f.Key, f.Payment
		if f.IfPaid != eventv1.PaymentStatus_PAYMENT_STATUS_UNSPECIFIED {
			g.IfPaid = f.IfPaid.String()
		}
		if f.IfPaidRow != nil {
			g.IfPaidRow = f.IfPaidRow.ProviderStatus
		}
	}
	if it.Skip != nil {
		g.Skip = it.Skip.Reason
	}
	if q := it.Quarantine; q != nil {
		g.Quarantine, g.Detail, g.Payment = q.Reason.String(), q.Detail, q.Payment
		if q.Mode != eventv1.Mode_MODE_UNSPECIFIED {
			g.Mode = q.Mode.String()
		}
	}
	if it.Row != nil {
		g.Row = it.Row.ProviderStatus
	}
	return g
}

// compareGolden compares got with the case's golden file, or writes it.
func compareGolden(t *testing.T, c testCase, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", c.name, "result.golden.json")
	if *golden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test -golden, then review it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("result differs from %s (-want +got):\n%s", path, diff)
	}
}
