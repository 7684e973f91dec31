package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

// reads are the read services in one, recording what they were asked.
type reads struct {
	normalizerv1.UnimplementedEventServiceServer
	normalizerv1.UnimplementedPaymentServiceServer
	normalizerv1.UnimplementedProviderServiceServer
	normalizerv1.UnimplementedDeliveryServiceServer
	normalizerv1.UnimplementedNormalizerServiceServer
	err   error
	watch func(*normalizerv1.WatchEventsRequest, normalizerv1.EventService_WatchEventsServer) error

	mu       sync.Mutex
	asked    proto.Message
	metadata metadata.MD
}

func (s *reads) took(ctx context.Context, m proto.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = m
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	return s.err
}

func paid() *eventv1.PaymentStatusChanged {
	return &eventv1.PaymentStatusChanged{
		Name:   "events/e1",
		Kind:   eventv1.Kind_KIND_PAYMENT,
		Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		Amount: &eventv1.Money{CurrencyCode: "MXN", MinorUnits: 196236, Exponent: 2},
		Cursor: 7,
	}
}

const paidJSON = `{"name":"events/e1","kind":"KIND_PAYMENT","paymentStatus":"PAYMENT_STATUS_PAID",` +
	`"amount":{"currencyCode":"MXN","minorUnits":"196236","exponent":2},"cursor":"7"}`

func (s *reads) GetEvent(ctx context.Context, r *normalizerv1.GetEventRequest) (*eventv1.PaymentStatusChanged, error) {
	return paid(), s.took(ctx, r)
}

func (s *reads) ListEvents(ctx context.Context, r *normalizerv1.ListEventsRequest) (*normalizerv1.ListEventsResponse, error) {
	return &normalizerv1.ListEventsResponse{Events: []*eventv1.PaymentStatusChanged{paid()}, NextPageToken: "t<2>"}, s.took(ctx, r)
}

func (s *reads) WatchEvents(r *normalizerv1.WatchEventsRequest, w normalizerv1.EventService_WatchEventsServer) error {
	if err := s.took(w.Context(), r); err != nil {
		return err
	}
	return s.watch(r, w)
}

func (s *reads) GetPayment(ctx context.Context, r *normalizerv1.GetPaymentRequest) (*normalizerv1.Payment, error) {
	return &normalizerv1.Payment{Name: r.GetName()}, s.took(ctx, r)
}

func (s *reads) ListPayments(ctx context.Context, r *normalizerv1.ListPaymentsRequest) (*normalizerv1.ListPaymentsResponse, error) {
	return &normalizerv1.ListPaymentsResponse{}, s.took(ctx, r)
}

func (s *reads) GetProvider(ctx context.Context, r *normalizerv1.GetProviderRequest) (*normalizerv1.Provider, error) {
	return &normalizerv1.Provider{Name: r.GetName()}, s.took(ctx, r)
}

func (s *reads) ListProviders(ctx context.Context, r *normalizerv1.ListProvidersRequest) (*normalizerv1.ListProvidersResponse, error) {
	return &normalizerv1.ListProvidersResponse{}, s.took(ctx, r)
}

func (s *reads) ExplainPayment(ctx context.Context, r *normalizerv1.ExplainPaymentRequest) (*normalizerv1.ExplainPaymentResponse, error) {
	return &normalizerv1.ExplainPaymentResponse{Text: r.GetName()}, s.took(ctx, r)
}

func (s *reads) GetDelivery(ctx context.Context, r *normalizerv1.GetDeliveryRequest) (*normalizerv1.Delivery, error) {
	return &normalizerv1.Delivery{Name: r.GetName(), Body: []byte{0xff}}, s.took(ctx, r)
}

func (s *reads) ListDeliveries(ctx context.Context, r *normalizerv1.ListDeliveriesRequest) (*normalizerv1.ListDeliveriesResponse, error) {
	return &normalizerv1.ListDeliveriesResponse{}, s.took(ctx, r)
}

func (s *reads) ReprocessDelivery(ctx context.Context, r *normalizerv1.ReprocessDeliveryRequest) (*normalizerv1.ReprocessDeliveryResponse, error) {
	return &normalizerv1.ReprocessDeliveryResponse{LedgerSequence: 5}, s.took(ctx, r)
}

func (s *reads) ReprocessDeliveries(ctx context.Context, r *normalizerv1.ReprocessDeliveriesRequest) (*normalizerv1.ReprocessDeliveriesResponse, error) {
	return &normalizerv1.ReprocessDeliveriesResponse{More: true}, s.took(ctx, r)
}

func (s *reads) NormalizeDelivery(ctx context.Context, r *normalizerv1.NormalizeDeliveryRequest) (*normalizerv1.NormalizeDeliveryResponse, error) {
	return &normalizerv1.NormalizeDeliveryResponse{SchemaDrifts: []string{"x"}}, s.took(ctx, r)
}

func dialReads(t testing.TB, s *reads) *grpc.ClientConn {
	return dial(t, func(g *grpc.Server) {
		normalizerv1.RegisterEventServiceServer(g, s)
		normalizerv1.RegisterPaymentServiceServer(g, s)
		normalizerv1.RegisterProviderServiceServer(g, s)
		normalizerv1.RegisterDeliveryServiceServer(g, s)
		normalizerv1.RegisterNormalizerServiceServer(g, s)
	})
}

func TestReadsAreProtoJSON(t *testing.T) {
	for _, c := range []struct {
		target string
		asked  proto.Message
		want   string
	}{
		{"/v1/events/e1", &normalizerv1.GetEventRequest{Name: "events/e1"}, paidJSON},
		{"/v1/events", &normalizerv1.ListEventsRequest{}, `{"events":[` + paidJSON + `],"nextPageToken":"t<2>"}`},
		{"/v1/events?page_size=3&filter=provider%20%3D%20%22clip%22&pageToken=a%2Bb", &normalizerv1.ListEventsRequest{PageSize: 3, Filter: `provider = "clip"`, PageToken: "a+b"}, `{"events":[` + paidJSON + `],"nextPageToken":"t<2>"}`},
		{"/v1/payments/p1", &normalizerv1.GetPaymentRequest{Name: "payments/p1"}, `{"name":"payments/p1"}`},
		{"/v1/payments?pageSize=1", &normalizerv1.ListPaymentsRequest{PageSize: 1}, `{}`},
		{"/v1/payments/p1:explain", &normalizerv1.ExplainPaymentRequest{Name: "payments/p1"}, `{"text":"payments/p1"}`},
		{"/v1/deliveries/d1-0", &normalizerv1.GetDeliveryRequest{Name: "deliveries/d1-0"}, `{"name":"deliveries/d1-0","body":"/w=="}`},
		{"/v1/deliveries/d1-0?view=DELIVERY_VIEW_FULL", &normalizerv1.GetDeliveryRequest{Name: "deliveries/d1-0", View: normalizerv1.DeliveryView_DELIVERY_VIEW_FULL}, `{"name":"deliveries/d1-0","body":"/w=="}`},
		{"/v1/deliveries/d1-0?view=full", &normalizerv1.GetDeliveryRequest{Name: "deliveries/d1-0", View: normalizerv1.DeliveryView_DELIVERY_VIEW_FULL}, `{"name":"deliveries/d1-0","body":"/w=="}`},
		{"/v1/deliveries?view=BASIC", &normalizerv1.ListDeliveriesRequest{View: normalizerv1.DeliveryView_DELIVERY_VIEW_BASIC}, `{}`},
		{"/v1/deliveries?page_size=2&view=2", &normalizerv1.ListDeliveriesRequest{PageSize: 2, View: normalizerv1.DeliveryView_DELIVERY_VIEW_FULL}, `{}`},
		{"/v1/providers/aci-opp", &normalizerv1.GetProviderRequest{Name: "providers/aci-opp"}, `{"name":"providers/aci-opp"}`},
		{"/v1/providers", &normalizerv1.ListProvidersRequest{}, `{}`},
	} {
		t.Run(c.target, func(t *testing.T) {
			var s reads
			a := send(t, serve(t, gateway.Options{Reads: dialReads(t, &s)}), "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n"+
				"Authorization: Bearer x\r\nGrpc-Metadata-Foo: x\r\nGrpc-Timeout: 1n\r\nTE: trailers\r\nAccept: text/event-stream, */*\r\nContent-Type: text/event-stream\r\n\r\n")
			if a.status != 200 || a.body != c.want {
				t.Errorf("got %d %s, want %s", a.status, a.body, c.want)
			}
			if diff := cmp.Diff(c.asked, s.asked, protocmp.Transform()); diff != "" {
				t.Errorf("request differs (-want +got):\n%s", diff)
			}
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("got Content-Type %q", got)
			}
			if got := a.header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("got X-Content-Type-Options %q", got)
			}
			for name := range a.header {
				if strings.HasPrefix(name, "Grpc-") {
					t.Errorf("answer has header %s", name)
				}
			}
			if diff := cmp.Diff([]string{"Bearer x"}, s.metadata.Get("authorization")); diff != "" {
				t.Errorf("who the reader is (-want +got):\n%s", diff)
			}
			for _, name := range []string{"foo", "x-forwarded-for", "x-forwarded-host"} {
				if got := s.metadata.Get(name); got != nil {
					t.Errorf("metadata %s = %q went through", name, got)
				}
			}
		})
	}
}

func TestReadsRefuseWhatTheyDoNotKnow(t *testing.T) {
	var s reads
	h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
	for _, c := range []struct {
		request string
		want    int
	}{
		{"GET /v1/events?fitler=x", 400},
		{"GET /v1/events?name=x", 400},
		{"GET /v1/events/e1?view=FULL", 400},
		{"GET /v1/events:watch?after_time.seconds=1", 400},
		{"GET /v1/events:watch?after_cursor=x", 400},
		{"GET /v1/events?page_size=1&page_size=2", 400},
		{"GET /v1/events?page_size=1&pageSize=2", 400},
		{"GET /v1/events?page_size=many", 400},
		{"GET /v1/events?filter=%zz", 400},
		{"GET /v1/events?a;b", 400},
		{"GET /v1/events?filter=%ff", 400},
		{"GET /v1/events?filter=" + strings.Repeat("a", 8200), 400},
		{"POST /v1/events", 405},
		{"HEAD /v1/events", 405},
		{"DELETE /v1/events/e1", 405},
		{"POST /v1/events:watch", 405},
		{"GET /v1", 404},
		{"GET /v1/", 404},
		{"GET /v1/events/", 404},
		{"GET /v1//events", 404},
		{"GET /v1/events//e1", 404},
		{"GET /v1/events/../events", 404},
		{"GET /v1/events/..", 404},
		{"GET /v1/events/%2e%2e", 404},
		{"GET /v1/events%2Fe1", 404},
		{"GET /v1/events/e1%00", 404},
		{"GET /v1/events/%ff", 404},
		{"GET /v1/events/e1/x", 404},
		{"GET /v1/events:nothing", 404},
		{"GET /v1/deliveries/d1?name=deliveries/d2", 400},
		{"GET /v1/deliveries/d1?view=NONE", 400},
		{"GET /v1/deliveries/d1/x", 404},
		{"GET /v1/payments/p1:explain?view=FULL", 400},
		{"POST /v1/nothing", 404},
	} {
		t.Run(c.request, func(t *testing.T) {
			a := send(t, h, c.request+" HTTP/1.1\r\nHost: x\r\n\r\n")
			if a.status != c.want || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s %s, want %d", a.status, a.header.Get("Content-Type"), a.body, c.want)
			}
			if c.want == 405 && a.header.Get("Allow") != "GET" {
				t.Errorf("got Allow %q", a.header.Get("Allow"))
			}
		})
	}
	if s.asked != nil {
		t.Errorf("a service was asked: %v", s.asked)
	}
	if a := send(t, h, "GET /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); a.status != 400 {
		t.Errorf("GET with a body: got %d, want 400", a.status)
	}
}

func TestWrongValuesAreExplained(t *testing.T) {
	var s reads
	h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
	for target, want := range map[string]string{
		"/v1/deliveries?view=FULLY":                         `query parameter "view": unknown value "FULLY"; there are BASIC, FULL`,
		"/v1/deliveries/d1-0?view=3":                        `query parameter "view": unknown value "3"; there are BASIC, FULL`,
		"/v1/deliveries?view=":                              `query parameter "view": unknown value ""; there are BASIC, FULL`,
		"/v1/events?page_size=abc":                          `query parameter "page_size": "abc" is not an integer of 32 bits`,
		"/v1/events?pageSize=2147483648":                    `query parameter "pageSize": "2147483648" is not an integer of 32 bits`,
		"/v1/events:watch?after_cursor=9223372036854775808": `query parameter "after_cursor": "9223372036854775808" is not an integer of 64 bits`,
		"/v1/events:watch?after_time=now":                   `query parameter "after_time": "now" is not a time like 2025-01-31T15:04:05Z`,
		"/v1/events:watch?afterTime=2025-01-31":             `query parameter "afterTime": "2025-01-31" is not a time like 2025-01-31T15:04:05Z`,
		"/v1/events:watch?after_time=0000-01-31T15:04:05Z":  `query parameter "after_time": "0000-01-31T15:04:05Z" is not a time like 2025-01-31T15:04:05Z`,
	} {
		a := get(t, h, target)
		var p struct{ Detail string }
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != http.StatusBadRequest || p.Detail != want {
			t.Errorf("%s: got %d %s (%v), want %s", target, a.status, a.body, err, want)
		}
	}
	if s.asked != nil {
		t.Errorf("a service was asked: %v", s.asked)
	}
}

func TestErrorsOfReadsBecomeProblems(t *testing.T) {
	for _, c := range []struct {
		code codes.Code
		want string
	}{
		{codes.NotFound, `{"type":"about:blank","title":"Not Found","status":404,"detail":"says why"}`},
		{codes.InvalidArgument, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"says why"}`},
		{codes.OutOfRange, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"says why"}`},
		{codes.ResourceExhausted, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"says why"}`},
		{codes.DeadlineExceeded, `{"type":"about:blank","title":"Gateway Timeout","status":504}`},
		{codes.Unavailable, `{"type":"about:blank","title":"Service Unavailable","status":503}`},
		{codes.Canceled, `{"type":"about:blank","title":"Client Closed Request","status":499,"detail":"says why"}`},
		{codes.Unimplemented, `{"type":"about:blank","title":"Internal Server Error","status":500}`},
		{codes.Internal, `{"type":"about:blank","title":"Internal Server Error","status":500}`},
	} {
		s := reads{err: status.Error(c.code, "says why")}
		h := serve(t, gateway.Options{Reads: dialReads(t, &s)})
		for _, path := range []string{"/v1/events/e1", "/v1/events", "/v1/payments", "/v1/providers/clip", "/v1/events:watch"} {
			a := get(t, h, path)
			if a.body != c.want || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%v %s: got %d %s, want %s", c.code, path, a.status, a.body, c.want)
			}
			if got, want := a.header.Get("Retry-After") != "", a.status == http.StatusServiceUnavailable; got != want {
				t.Errorf("%v %s: got Retry-After %v, want %v", c.code, path, got, want)
			}
		}
	}
}
