package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/services/gateway/console"
)

// flood is how many events the load test sends as fast as the page takes them.
const flood = 20_000

// floodedConsole serves the console over an API that has one old event, and streams
// flood new ones to whoever watches. The real service is too slow for that under
// the race detector.
func floodedConsole(t *testing.T) string {
	t.Helper()
	event := func(n int) string {
		return fmt.Sprintf(`{"name":"events/e%d","kind":"KIND_PAYMENT","provider":"clip","merchant":"acme","mode":"MODE_LIVE","payment":"payments/p%d",`+
			`"providerPaymentId":"<img src=x>-%d","paymentStatus":"PAYMENT_STATUS_PAID","disposition":"DISPOSITION_APPLIED",`+
			`"amount":{"currencyCode":"MXN","minorUnits":"9007199254740993","exponent":2},`+
			`"receiveTime":"2026-04-01T12:00:00.000100Z","commitTime":"2026-04-01T12:00:00.000350500Z","cursor":"%d"}`, n, n, n, n)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/events", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"events":[%s]}`, event(0))
	})
	mux.HandleFunc("/v1/events:watch", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if r.URL.Query().Get("after_cursor") == "0" {
			for n := 1; n <= flood; n++ {
				fmt.Fprintf(w, "id: %d\nevent: event\ndata: {\"event\":%s,\"cursor\":\"%d\"}\n\n", n, event(n), n)
			}
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})
	mux.HandleFunc("/v1/deliveries", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotImplemented)
		fmt.Fprint(w, `{"type":"about:blank","title":"Not Implemented","status":501,"detail":"says why"}`)
	})
	return consoleOver(t, mux)
}

// consoleOver serves the console and an API, and returns the base URL of both.
func consoleOver(t *testing.T, api *http.ServeMux) string {
	t.Helper()
	api.HandleFunc("/console/", serveConsole)
	api.HandleFunc("/console", serveConsole)
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func serveConsole(w http.ResponseWriter, r *http.Request) {
	file, ok := console.Open(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	file.ServeHTTP(w, r)
}

func TestConsoleKeepsUpWithAFlood(t *testing.T) {
	base := floodedConsole(t)
	b := newBrowser(t)
	b.open(base + "/console")
	b.shows("tbody tr:first-child", fmt.Sprintf("<img src=x>-%d", flood), "90,071,992,547,409.93 MXN", "250 µs")
	b.must("document.querySelectorAll('tbody tr').length === 200")
	b.must("!document.querySelector('main img')")
	b.wait("document.querySelector('.plot .line').getAttribute('d').includes('L')")
	b.shows(".plot", "p50 250 µs", "p99 250 µs")
	b.view("/deliveries")
	b.shows(".trouble", "Not available here", "says why", "HTTP 501")
}

// TestConsolePublishesOnlyWhatWasConfirmed plays an API after an update of the mapping:
// the binary under test has one mapping only.
func TestConsolePublishesOnlyWhatWasConfirmed(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	quarantined := `{"name":"quarantined/q1","reason":"QUARANTINE_REASON_UNMAPPED","detail":"no row covers it"}`
	api := http.NewServeMux()
	api.HandleFunc("GET /v1/deliveries", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if len(asked) < 3 && r.URL.Query().Get("filter") == `quarantine_reason = "UNMAPPED" AND provider = "clip"` {
			fmt.Fprintf(w, `{"deliveries":[{"name":"deliveries/d1-0","provider":"clip","merchant":"acme","kept":true,"outcomes":[{"quarantined":%s}]}]}`, quarantined)
			return
		}
		fmt.Fprint(w, `{}`)
	})
	api.HandleFunc("POST /v1/deliveries:reprocess", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, string(body))
		mu.Unlock()
		fmt.Fprint(w, `{"deliveryCount":2,"ledgerSequence":"12","items":[
			{"delivery":"deliveries/d1-0","change":"REPROCESS_CHANGE_RELEASED","after":{"payment":"payments/p1","providerPaymentId":"pay-1","paymentStatus":"PAYMENT_STATUS_PAID"}},
			{"delivery":"deliveries/d2-0","item":2,"change":"REPROCESS_CHANGE_CORRECTED","changedFields":["payment_status","amount_paid"],
				"before":{"paymentStatus":"PAYMENT_STATUS_PENDING"},"after":{"paymentStatus":"PAYMENT_STATUS_PAID","amountPaid":{"currencyCode":"MXN","minorUnits":"150","exponent":2}}},
			{"delivery":"deliveries/d3-0","change":"REPROCESS_CHANGE_UNSUPPORTED","before":{"paymentStatus":"PAYMENT_STATUS_PAID"},"quarantined":`+quarantined+`}]}`)
	})
	base := consoleOver(t, api)
	b := newBrowser(t)
	b.open(base + "/console#/quarantine?provider=clip&quarantine_reason=UNMAPPED")
	b.shows("tbody tr", "unmapped", "no row covers it")
	b.click("button", "Reprocess all that match")
	b.shows("dialog", "2 events would be published", "Nothing has been changed yet", "released", "pay-1", "no longer understood")
	b.shows("dialog tr", "payment_status", "pending", "paid")
	b.shows("dialog tr", "amount_paid", "absent", "1.50 MXN")
	b.press(kb.Escape)
	b.wait("!document.querySelector('dialog')")
	b.shows("tbody tr", "unmapped")
	b.click("button", "Reprocess all that match")
	b.click("dialog button", "Publish 2 events")
	b.shows("dialog", "2 events were published", "commit 12")
	b.press(kb.Escape)
	b.shows(".empty", "Nothing is quarantined")
	mu.Lock()
	defer mu.Unlock()
	filter := `{"filter":"quarantine_reason = \"UNMAPPED\" AND provider = \"clip\"","maxDeliveries":1000,"validateOnly":`
	want := []string{filter + "true}", filter + "true}", filter + "false}"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestConsoleWritesValuesExactly checks in the browser what a reader relies on.
func TestConsoleWritesValuesExactly(t *testing.T) {
	base := floodedConsole(t)
	b := newBrowser(t)
	b.open(base + "/console#/providers/none")
	for _, c := range []struct{ module, call, want string }{
		{"format", `money({currencyCode: "MXN", minorUnits: "196236", exponent: 2})`, "1,962.36 MXN"},
		{"format", `money({currencyCode: "MXN", exponent: 2})`, "0.00 MXN"},
		{"format", `money({currencyCode: "MXN", minorUnits: "5", exponent: 2})`, "0.05 MXN"},
		{"format", `money({currencyCode: "CLP", minorUnits: "10000"})`, "10,000 CLP"},
		{"format", `money({currencyCode: "BHD", minorUnits: "-1", exponent: 3})`, "−0.001 BHD"},
		{"format", `money({currencyCode: "MXN", minorUnits: "9223372036854775807", exponent: 2})`, "92,233,720,368,547,758.07 MXN"},
		{"format", `money(undefined)`, ""},
		{"format", `words("PAYMENT_STATUS_REQUIRES_ACTION", "PAYMENT_STATUS_")`, "requires action"},
		{"format", `utc("2026-04-01T12:00:00.000350500Z")`, "2026-04-01 12:00:00.000350500 UTC"},
		{"format", `span(micros("2026-04-01T12:00:01Z") - micros("2026-04-01T12:00:00.999750Z"))`, "250 µs"},
		{"format", `[span(0), span(999), span(1000), span(999999), span(1e6), span(9e7), span(7.2e9), span(undefined)].join("|")`, "0 µs|999 µs|1.0 ms|1.0 s|1.0 s|1 min|2 h|"},
		{"format", `ago("2026-04-01T12:00:00Z", Date.parse("2026-04-01T12:00:59.9Z"))`, "59 s ago"},
		{"bytes", `indent('{"a":1.230000000000000001,"b":[],"a":{"c":"x,{\\"y"},"d":[1,true]}')`,
			"{\n  \"a\": 1.230000000000000001,\n  \"b\": [],\n  \"a\": {\n    \"c\": \"x,{\\\"y\"\n  },\n  \"d\": [\n    1,\n    true\n  ]\n}"},
		{"bytes", `readable(decode(btoa('not { json'))).text`, "not { json"},
		{"bytes", `readable(decode(btoa('\xff\x00A'))).text`, "00000000  ff 00 41                                         ..A"},
		{"api", `filter({provider: 'clip', merchant: '', merchant_reference: 'a"b\\c'})`, `provider = "clip" AND merchant_reference = "a\"b\\c"`},
		{"plot", `[nice(0), nice(1), nice(1.2), nice(3), nice(51), nice(100)].join("|")`, "0|1|2|5|100|100"},
		{"plot", `path([undefined, 1, undefined, 1, 0], 1, false)`, "M60.0 3.0h.8M180.0 3.0L240.0 63.0"},
		{"series", `JSON.stringify(quantiles([3, 1, 2]))`, `{"p50":2,"p99":3}`},
		{"series", `(() => { const s = new Series(); for (let i = 0; i < 5000; i++) s.add(1000, 7); s.add(2500, 9); return JSON.stringify([s.recent(3000, 2), s.recent(4000, 1)]) })()`,
			`[{"rate":2500.5,"p50":7,"p99":7},{"rate":0}]`},
	} {
		got, err := b.eval(fmt.Sprintf("import('/console/%s.js').then(({ %s }) => String(%s))", c.module, exports[c.module], c.call))
		var text string
		if err == nil {
			err = json.Unmarshal([]byte(got), &text)
		}
		if err != nil || text != c.want {
			t.Errorf("%s is %q, want %q (%v)", c.call, text, c.want, err)
		}
	}
}

// exports are the names that the calls of TestConsoleWritesValuesExactly use.
var exports = map[string]string{
	"format": "money, words, utc, span, micros, ago",
	"bytes":  "indent, readable, decode",
	"api":    "filter",
	"plot":   "nice, path",
	"series": "quantiles, Series",
}
