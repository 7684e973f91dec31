package e2e

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// metricNames returns the names of all metrics that the site shows.
func (s *site) metricNames(t *testing.T) map[string]bool {
	t.Helper()
	resp, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("metrics: %s %v\n%s", resp.Status, err, text)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			names[name] = true
			if kind == "histogram" {
				for _, suffix := range []string{"_bucket", "_count", "_sum"} {
					names[name+suffix] = true
				}
			}
		}
	}
	return names
}

// expressions returns what alerts and dashboard ask Prometheus, by where it stands.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	read := func(name string, into any, unmarshal func([]byte, any) error) {
		data, err := os.ReadFile(filepath.Join("..", "observability", name))
		if err == nil {
			err = unmarshal(data, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      struct{ Severity string }
				Annotations struct{ Summary, Description string }
			}
		}
	}
	read("alerts.yaml", &alerts, yaml.Unmarshal)
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			found["alert "+r.Alert] = r.Expr
			if r.Labels.Severity == "" || r.Annotations.Summary == "" || r.Annotations.Description == "" {
				t.Errorf("alert %s does not say how severe it is, what is wrong and what to do", r.Alert)
			}
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	read("grafana.json", &board, json.Unmarshal)
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			found["panel "+p.Title+": "+target.Expr] = target.Expr
		}
	}
	return found
}

// Alerts and dashboard ask for metrics that exist, in expressions that Prometheus understands.
func TestAlertsAndDashboardNameMetricsThatExist(t *testing.T) {
	s := newSite(t, nil, func(s *site) { s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")} })
	s.serve(t)
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 1))
	s.accepted(t, "acme", strings.Replace(clipBody("p2", "COMPLETED", 1), `"attempts"`, `"new_member":1,"attempts"`, 1)) // drift
	s.accepted(t, "acme", strings.Replace(clipBody("p3", "COMPLETED", 1), `"COMPLETED"`, `"TELEPORTED"`, 1))             // quarantine
	s.projected(t)
	exist := s.metricNames(t)
	all := expressions(t)
	if len(all) < 30 {
		t.Errorf("only %d expressions were found", len(all))
	}
	for where, text := range all {
		expr, err := parser.ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok && !exist[v.Name] {
				t.Errorf("%s asks for %s, which does not exist", where, v.Name)
			}
			return nil
		})
	}
}

// A delivery is one trace from the HTTP edge to its event, also when gateway and
// normalizer make their spans without knowing of each other, and the event says which.
func TestDeliveryIsOneTraceUpToItsEvent(t *testing.T) {
	var mu sync.Mutex
	spans := map[string]string{} // name to trace
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var export collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || proto.Unmarshal(body, &export) != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range export.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, span := range ss.GetSpans() {
					spans[span.GetName()] = string(span.GetTraceId())
				}
			}
		}
	}))
	defer server.Close()
	s := newSite(t, nil, func(s *site) {
		s.values["endpoints"] = []map[string]any{clipEndpoint(t, s.dir, "acme")}
		s.values["tracing"] = map[string]any{"endpoint": server.URL}
	})
	p := s.serve(t)
	s.accepted(t, "acme", clipBody("p1", "COMPLETED", 1))
	s.projected(t)
	header := s.stream(t, "PAYNORM_EVENTS")[0].Headers().Get("traceparent")
	if code := p.stop(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	mu.Lock()
	defer mu.Unlock()
	names := []string{"POST /webhooks/{provider}/{merchant}", "verify", "append to the ledger", "publish and apply"}
	for _, name := range names {
		if trace := spans[name]; trace == "" || trace != spans[names[0]] {
			t.Errorf("span %q is in trace %x, the first one in %x", name, trace, spans[names[0]])
		}
	}
	if want := hex.EncodeToString([]byte(spans[names[0]])); len(header) != 55 || header[3:35] != want || header[53:] != "01" {
		t.Errorf("the event says %s, the trace is %s", header, want)
	}
}

// Go's profiles are served on the port of the metrics, and only when they are asked for.
func TestProfilesAreServedOnlyWhenAskedFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		metrics map[string]any
		want    int
	}{
		{"not mentioned", nil, http.StatusNotFound},
		{"off", map[string]any{"pprof": false}, http.StatusNotFound},
		{"on", map[string]any{"pprof": true}, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil, func(s *site) { maps.Copy(s.values["metrics"].(map[string]any), c.metrics) })
			s.serve(t)
			for base, want := range map[string]int{"http://" + s.metrics: c.want, s.http: http.StatusNotFound} {
				resp, err := http.Get(base + "/debug/pprof/heap")
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != want {
					t.Errorf("%s/debug/pprof/heap is answered %s, want %d (%v)", base, resp.Status, want, err)
				}
				if isProfile := strings.HasPrefix(string(body), "\x1f\x8b"); isProfile != (want == http.StatusOK) { // gzip
					t.Errorf("%s/debug/pprof/heap is answered a profile: %v", base, isProfile)
				}
			}
		})
	}
}
