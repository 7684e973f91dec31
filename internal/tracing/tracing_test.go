package tracing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

var at = time.Date(2026, 5, 4, 8, 30, 0, 123456789, time.UTC)

func TestIDDependsOnTheDeliveryOnly(t *testing.T) {
	id := OfDelivery("clip", "acme", at)
	// Events that were published carry it: it must never change.
	if got, want := id.Header(true), "00-4587fd9da7f726a0549a8f2c8cbff836-c4ac62b2af058551-01"; got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	if id != OfDelivery("clip", "acme", at.In(time.FixedZone("", 3600))) {
		t.Error("the zone of the clock changes the ID")
	}
	for _, other := range []ID{OfDelivery("clip", "acm", at), OfDelivery("clipa", "cme", at), OfDelivery("clip", "acme", at.Add(1))} {
		if other == id {
			t.Error("different deliveries share a trace")
		}
	}
}

func TestNoTracerMakesNoSpans(t *testing.T) {
	var none *Tracer
	s := none.Delivery("webhook", "clip", "acme", at)
	step := none.Part("verify", "clip", "acme", at)
	step.Text("k", "v")
	step.End(true)
	s.End(false)
	if h := none.Header(OfDelivery("clip", "acme", at)); !strings.HasSuffix(h, "-00") {
		t.Errorf("header %s says that it is sampled", h)
	}
	if n := testing.AllocsPerRun(100, func() {
		s := none.Delivery("webhook", "clip", "acme", at)
		step := none.Part("verify", "clip", "acme", at)
		step.End(false)
		s.End(false)
	}); n > 0 {
		t.Errorf("%v allocations while tracing is off", n)
	}
}

// A collector gets the spans of one delivery as one trace, although its parts
// were made without a common context.
func TestCollectorGetsOneTraceForADelivery(t *testing.T) {
	spans := make(chan string, 16)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var export collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &export) != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, rs := range export.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					id := OfDelivery("clip", "acme", at)
					parent := "none"
					if string(s.GetParentSpanId()) == string(id.Span[:]) {
						parent = "first"
					}
					trace := "other"
					if string(s.GetTraceId()) == string(id.Trace[:]) {
						trace = "its"
					}
					spans <- s.GetName() + " trace:" + trace + " parent:" + parent
				}
			}
		}
	}))
	defer server.Close()
	edge, err := New(t.Context(), Options{Endpoint: server.URL, Ratio: 1})
	if err != nil {
		t.Fatal(err)
	}
	projector, err := New(t.Context(), Options{Endpoint: server.URL, Ratio: 1})
	if err != nil {
		t.Fatal(err)
	}
	first := edge.Delivery("webhook", "clip", "acme", at)
	first.Text("paynorm.provider", "clip")
	first.Number("http.response.status_code", 200)
	edge.Part("append", "clip", "acme", at).End(false)
	first.End(false)
	projector.Part("project", "clip", "acme", at).End(true)
	for _, tracer := range []*Tracer{edge, projector} {
		if err := tracer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(spans)
	got := map[string]bool{}
	for s := range spans {
		got[s] = true
	}
	want := map[string]bool{"webhook trace:its parent:none": true, "append trace:its parent:first": true, "project trace:its parent:first": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRatioZeroTracesNothing(t *testing.T) {
	tracer, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", Ratio: 0})
	if err != nil {
		t.Fatal(err)
	}
	id := OfDelivery("clip", "acme", at)
	if h := tracer.Header(id); !strings.HasSuffix(h, "-00") {
		t.Errorf("header %s", h)
	}
	tracer.Part("project", "clip", "acme", at).End(false)
	if err := tracer.Close(t.Context()); err != nil {
		t.Errorf("closing with nothing to send: %v", err)
	}
}
