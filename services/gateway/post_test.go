package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// posted is a POST of a JSON body, as curl sends it with -H.
func posted(target, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
}

func TestCallsWithABodyTakeProtoJSON(t *testing.T) {
	for _, c := range []struct {
		target, body string
		asked        proto.Message
		want         string
	}{
		{"/v1/deliveries/d1-0:reprocess", `{}`, &normalizerv1.ReprocessDeliveryRequest{Name: "deliveries/d1-0"}, `{"ledgerSequence":"5"}`},
		{"/v1/deliveries/d1-0:reprocess", ` {"validate_only": true} `, &normalizerv1.ReprocessDeliveryRequest{Name: "deliveries/d1-0", ValidateOnly: true}, `{"ledgerSequence":"5"}`},
		{"/v1/deliveries/d1-0:reprocess", ``, &normalizerv1.ReprocessDeliveryRequest{Name: "deliveries/d1-0"}, `{"ledgerSequence":"5"}`},
		{
			"/v1/deliveries:reprocess", `{"filter":"provider = clip","maxDeliveries":7}`,
			&normalizerv1.ReprocessDeliveriesRequest{Filter: "provider = clip", MaxDeliveries: 7}, `{"more":true}`,
		},
		{
			"/v1/deliveries:normalize", `{"name":"deliveries/d1-0"}`,
			&normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Name{Name: "deliveries/d1-0"}}, `{"schemaDrifts":["x"]}`,
		},
		{
			"/v1/deliveries:normalize", `{"delivery":{"provider":"clip","body":"e30="}}`,
			&normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Delivery{
				Delivery: &normalizerv1.InlineDelivery{Provider: "clip", Body: []byte("{}")},
			}}, `{"schemaDrifts":["x"]}`,
		},
	} {
		t.Run(c.target+" "+c.body, func(t *testing.T) {
			var s reads
			a := send(t, serve(t, gateway.Options{Reads: dialReads(t, &s)}), posted(c.target, c.body))
			if a.status != 200 || a.body != c.want || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("got %d %s %v, want %s", a.status, a.body, a.header, c.want)
			}
			if diff := cmp.Diff(c.asked, s.asked, protocmp.Transform()); diff != "" {
				t.Errorf("request differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheLargestWebhookCanBeNormalized(t *testing.T) {
	var s reads
	body := `{"delivery":{"provider":"clip","body":"` + strings.Repeat("AAAA", 4<<20/3) + `"}}`
	if a := send(t, serve(t, gateway.Options{Reads: dialReads(t, &s)}), posted("/v1/deliveries:normalize", body)); a.status != 200 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestCallsWithABodyRefuseWhatTheyDoNotKnow(t *testing.T) {
	var s reads
	h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
	const one, all, dry = "/v1/deliveries/d1-0:reprocess", "/v1/deliveries:reprocess", "/v1/deliveries:normalize"
	withType := func(header string) string {
		return "POST " + one + " HTTP/1.1\r\nHost: x\r\n" + header + "Content-Length: 2\r\n\r\n{}"
	}
	for _, c := range []struct {
		name, request string
		want          int
	}{
		{"an unknown member", posted(one, `{"validateOnyl":true}`), 400},
		{"a member twice", posted(one, `{"validateOnly":true,"validate_only":true}`), 400},
		{"a wrong type", posted(all, `{"filter":5}`), 400},
		{"both sources", posted(dry, `{"name":"deliveries/d1","delivery":{}}`), 400},
		{"something behind it", posted(one, `{}{}`), 400},
		{"an array", posted(one, `[]`), 400},
		{"nothing, where a filter must be given", posted(all, ``), 400},
		{"nothing, where a source must be given", posted(dry, ``), 400},
		{"half of it", posted(one, `{`), 400},
		{"no UTF-8", posted(all, "{\"filter\":\"\xff\"}"), 400},
		{"a query", posted(one+"?validate_only=true", `{}`), 400},
		{"too large", posted(one, `{"name":"`+strings.Repeat("a", 16<<10)+`"}`), 413},
		{"no content type", withType(""), 415},
		{"nothing, and no content type", "POST " + one + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 415},
		{"a form", withType("Content-Type: application/x-www-form-urlencoded\r\n"), 415},
		{"plain text", withType("Content-Type: text/plain\r\n"), 415},
		{"GET", "GET " + one + " HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"GET of the dry run", "GET " + dry + " HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"another resource", posted("/v1/nothing/e1:reprocess", `{}`), 404},
		{"a path in the path", posted("/v1/deliveries/d1/x:reprocess", `{}`), 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := send(t, h, c.request)
			if a.status != c.want || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s %s, want %d", a.status, a.header.Get("Content-Type"), a.body, c.want)
			}
			if c.want == 405 && a.header.Get("Allow") != "POST" {
				t.Errorf("got Allow %q", a.header.Get("Allow"))
			}
		})
	}
	if s.asked != nil {
		t.Errorf("a service was asked: %v", s.asked)
	}
}
