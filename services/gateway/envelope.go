package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// newWebhookMux makes the mux of the calls that take a request byte for byte. The
// generated handlers give a call what is parsed of a body and nothing else of the
// request, so these two have handlers of their own before the generated client.
func newWebhookMux(g *Gateway) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithRoutingErrorHandler(routingError),
	)
	client := normalizerv1.NewNormalizerServiceClient(g.o.Webhooks)
	err := mux.HandlePath(http.MethodPost, "/webhooks/{provider}/{merchant}", g.pass(g.o.MaxBodyBytes, ingest(client)))
	if err != nil {
		return nil, err
	}
	return mux, mux.HandlePath(http.MethodPost, "/oauth2/{provider}/{merchant}/token", g.pass(min(tokenBody, g.o.MaxBodyBytes), issueToken(client)))
}

// delivery is a request that was read whole.
type delivery struct {
	request            *http.Request // its body is read
	provider, merchant string
	sender             string // its address
	headers            []*normalizerv1.Header
	body               []byte
	at                 time.Time
}

// call hands a delivery to the service and returns the answer for the sender.
type call func(context.Context, *delivery) (status int32, answer *httpbody.HttpBody, err error)

func ingest(client normalizerv1.NormalizerServiceClient) call {
	return func(ctx context.Context, d *delivery) (int32, *httpbody.HttpBody, error) {
		resp, err := client.IngestDelivery(ctx, &normalizerv1.IngestDeliveryRequest{
			Provider: d.provider, Merchant: d.merchant,
			Method: d.request.Method, Path: d.request.URL.Path, RawQuery: []byte(d.request.URL.RawQuery),
			Headers: d.headers, Body: d.body,
			RemoteAddress: d.sender, ReceiveTime: timestamppb.New(d.at),
		})
		return resp.GetHttpStatus(), resp.GetAcknowledgement(), err
	}
}

func issueToken(client normalizerv1.NormalizerServiceClient) call {
	return func(ctx context.Context, d *delivery) (int32, *httpbody.HttpBody, error) {
		resp, err := client.IssueToken(ctx, &normalizerv1.IssueTokenRequest{
			Provider: d.provider, Merchant: d.merchant, Headers: d.headers, Body: d.body,
		})
		return resp.GetHttpStatus(), resp.GetAnswer(), err
	}
}

// headers copies the header lines of r, sorted by name, the values of one name
// in their order. The standard library keeps Host apart; it is put back.
func headers(r *http.Request) []*normalizerv1.Header {
	n, size := 1, len(r.Host)
	for _, values := range r.Header {
		n += len(values)
		for _, v := range values {
			size += len(v)
		}
	}
	// All lines and all values share a slice each: a webhook has some ten.
	lines, values := make([]normalizerv1.Header, n), make([]byte, 0, size)
	list := make([]*normalizerv1.Header, 0, n)
	add := func(name, value string) {
		line, start := &lines[len(list)], len(values)
		values = append(values, value...)
		line.Name, line.Value = name, values[start:len(values):len(values)]
		list = append(list, line)
	}
	add("host", r.Host)
	for name, values := range r.Header {
		name = strings.ToLower(name)
		for _, v := range values {
			add(name, v)
		}
	}
	slices.SortStableFunc(list, func(a, b *normalizerv1.Header) int { return strings.Compare(a.Name, b.Name) })
	return list
}
