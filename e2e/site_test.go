package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// site is a configuration of its own: ports, data and secrets of one test.
type site struct {
	dir     string
	config  string
	http    string // base URL
	grpc    string
	metrics string
	nats    string // URL
	values  map[string]any
}

// newSite writes a configuration for all-in-one operation with endpoints. change
// may alter it first.
func newSite(t *testing.T, endpoints []map[string]any, change ...func(*site)) *site {
	t.Helper()
	free := freeAddresses(t, 4)
	httpAddress, natsAddress := free[0], free[1]
	s := &site{dir: t.TempDir(), grpc: free[2], metrics: free[3]}
	s.config = filepath.Join(s.dir, "paynorm.yaml")
	s.http, s.nats = "http://"+httpAddress, "nats://"+natsAddress
	s.values = map[string]any{
		"http":      map[string]any{"address": httpAddress},
		"grpc":      map[string]any{"address": s.grpc},
		"metrics":   map[string]any{"address": s.metrics},
		"nats":      map[string]any{"address": natsAddress},
		"data_dir":  filepath.Join(s.dir, "data"),
		"endpoints": endpoints,
	}
	for _, c := range change {
		c(s)
	}
	s.write(t)
	return s
}

// write stores the configuration. JSON is YAML too.
func (s *site) write(t *testing.T) {
	t.Helper()
	data, err := json.MarshalIndent(s.values, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts the all-in-one program and waits until it is ready.
func (s *site) serve(t *testing.T, flags ...string) *process {
	t.Helper()
	p := start(t, programs(t).paynorm, append([]string{"serve", "--config", s.config}, flags...)...)
	p.ready(t, s.http)
	return p
}

// reload stores the configuration and waits until p has taken it over.
func (s *site) reload(t *testing.T, p *process) {
	t.Helper()
	const done = "configuration reloaded"
	before := strings.Count(p.out.String(), done)
	s.write(t)
	p.signal(syscall.SIGHUP)
	eventually(t, func() error {
		if strings.Count(p.out.String(), done) == before {
			return fmt.Errorf("the configuration is not reloaded")
		}
		return nil
	})
}

// secretFile stores text below dir and returns how a configuration refers to it.
func secretFile(t *testing.T, dir, name, text string) map[string]any {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"file": file}
}

// get returns the JSON at path of the read API.
func (s *site) get(t *testing.T, path string, query url.Values) map[string]any {
	t.Helper()
	resp, err := http.Get(s.http + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v %v", path, resp.Status, answer, err)
	}
	return answer
}

// events returns the events that filter selects, oldest first.
func (s *site) events(t *testing.T, filter string) []map[string]any {
	t.Helper()
	query := url.Values{"filter": {filter}, "page_size": {"1000"}}
	var all []map[string]any
	for {
		page := s.get(t, "/v1/events", query)
		list, _ := page["events"].([]any)
		for _, e := range list {
			all = append([]map[string]any{e.(map[string]any)}, all...)
		}
		token, _ := page["nextPageToken"].(string)
		if token == "" {
			return all
		}
		query.Set("page_token", token)
	}
}

// metric returns a figure of /metrics. Its name has the labels as they stand there.
func (s *site) metric(name string) (float64, error) {
	resp, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// projected waits until every delivery of the ledger has been projected.
func (s *site) projected(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		lag, err := s.metric("paynorm_projection_lag_commits")
		if err == nil && lag > 0 {
			err = fmt.Errorf("%v commits are not projected yet", lag)
		}
		return err
	})
}

// delivered counts the deliveries in the ledger that have body; "" counts all.
func (s *site) delivered(t *testing.T, body string) int {
	t.Helper()
	n := 0
	for _, m := range s.stream(t, "PAYNORM_LEDGER") {
		for _, d := range commitOf(t, m.Data()).GetDeliveries() {
			if body == "" || string(d.GetBody()) == body {
				n++
			}
		}
	}
	return n
}

// stream returns all messages of a stream.
func (s *site) stream(t *testing.T, name string) []jetstream.Msg {
	t.Helper()
	nc, err := nats.Connect(s.nats)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	info, err := js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var all []jetstream.Msg
	for last := info.CachedInfo().State.LastSeq; uint64(len(all)) < last; {
		m, err := consumer.Next(jetstream.FetchContext(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}
