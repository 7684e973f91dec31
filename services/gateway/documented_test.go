package gateway_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/paynorm/paynorm"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// documented lists the routes of the OpenAPI document as "GET /path".
func documented(t *testing.T) []string {
	t.Helper()
	var d struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(paynorm.OpenAPI, &d); err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, verbs := range d.Paths {
		for verb := range verbs {
			all = append(all, strings.ToUpper(verb)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// No route of the document is answered as one that does not exist.
func TestEachDocumentedRouteIsServed(t *testing.T) {
	conn := dial(t, func(*grpc.Server) {}) // knows no service: whatever is routed to it is 500
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h := serve(t, gateway.Options{Webhooks: conn, Reads: conn, OpenAPI: paynorm.OpenAPI, AsyncAPI: paynorm.AsyncAPI, Reference: page})
	for _, route := range documented(t) {
		verb, path, _ := strings.Cut(route, " ")
		path = parameter.ReplaceAllString(path, "x")
		var a answered
		if verb == http.MethodGet {
			a = get(t, h, path)
		} else {
			a = post(t, h, path, "application/json", "{}")
		}
		if a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed {
			t.Errorf("%s: answered %d", route, a.status)
		}
	}
	if a := get(t, h, "/v1/none"); a.status != http.StatusNotFound {
		t.Errorf("/v1/none: answered %d, want 404: can this test fail?", a.status)
	}
}

// What protos give a route, and what the gateway serves beside them, is in the document.
func TestEachServedRouteIsDocumented(t *testing.T) {
	served := []string{
		"GET /healthz", "GET /readyz", "GET /openapi.json", "GET /asyncapi.json", "GET /docs", "GET /docs/style.css", "GET /console",
	}
	variable := regexp.MustCompile(`\{[a-z]+=([a-z/*]+)\}`)
	collection := regexp.MustCompile(`([a-z]+)/\*`)
	files := []protoreflect.FileDescriptor{
		normalizerv1.File_paynorm_normalizer_v1_normalizer_service_proto, normalizerv1.File_paynorm_normalizer_v1_event_service_proto,
		normalizerv1.File_paynorm_normalizer_v1_payment_service_proto, normalizerv1.File_paynorm_normalizer_v1_delivery_service_proto,
		normalizerv1.File_paynorm_normalizer_v1_provider_service_proto, normalizerv1.File_paynorm_normalizer_v1_endpoint_service_proto,
	}
	for _, f := range files {
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				rule, ok := proto.GetExtension(methods.Get(j).Options(), annotations.E_Http).(*annotations.HttpRule)
				if !ok || rule == nil {
					continue
				}
				route := "GET " + rule.GetGet()
				if rule.GetPost() != "" {
					route = "POST " + rule.GetPost()
				}
				served = append(served, variable.ReplaceAllStringFunc(route, func(v string) string {
					return collection.ReplaceAllStringFunc(variable.FindStringSubmatch(v)[1], func(part string) string {
						many := strings.TrimSuffix(part, "/*")
						one := strings.TrimSuffix(strings.Replace(many, "ies", "ys", 1), "s")
						return many + "/{" + one + "}"
					})
				}))
			}
		}
	}
	in := documented(t)
	for _, route := range served {
		if !slices.Contains(in, route) {
			t.Errorf("%s is not in the document", route)
		}
	}
	if len(in) != len(served) {
		t.Errorf("%d routes are documented, %d served", len(in), len(served))
	}
}
