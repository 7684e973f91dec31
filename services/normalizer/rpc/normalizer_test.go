package rpc_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// bothWays runs a test over the network's protocol and inside the process,
// which must not be told apart.
func bothWays(t *testing.T, test func(*testing.T, *world, grpc.ClientConnInterface)) {
	t.Run("over gRPC", func(t *testing.T) { w := newWorld(t); test(t, w, w.conn) })
	t.Run("inside the process", func(t *testing.T) { w := newWorld(t); test(t, w, w.server.Direct) })
}

func TestADeliveryArrivesByteForByte(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		var got provider.Delivery
		w.ingest = func(d provider.Delivery) (ingest.Receipt, error) {
			got = d
			return ingest.Receipt{
				Delivery:        "deliveries/d1",
				Acknowledgement: provider.Acknowledgement{Status: 200, ContentType: "application/json", Body: `{"status":"OK"}`},
			}, nil
		}
		at := noon().Add(123 * time.Nanosecond)
		response, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{
			Provider: "clip", Merchant: "acme", Method: "POST", Path: "/webhooks/clip/acme", RawQuery: []byte("a=%ff&a=\xff"),
			Headers: []*normalizerv1.Header{{Name: "x-a", Value: []byte("1")}, {Name: "x-a", Value: []byte("\xfe\x00")}},
			Body:    []byte("{\"a\": 1.00}\r\n\x00\xff"), RemoteAddress: "[::ffff:203.0.113.7]:4711", ReceiveTime: timestamppb.New(at),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := provider.Delivery{
			Provider: "clip", Merchant: "acme", Method: "POST", Path: "/webhooks/clip/acme", RawQuery: "a=%ff&a=\xff",
			Headers: []provider.Header{{Name: "x-a", Value: "1"}, {Name: "x-a", Value: "\xfe\x00"}},
			Body:    []byte("{\"a\": 1.00}\r\n\x00\xff"), RemoteAddr: netip.MustParseAddr("203.0.113.7"), ReceivedAt: at,
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("delivery (-want +got):\n%s", diff)
		}
		answer := &normalizerv1.IngestDeliveryResponse{
			Delivery: "deliveries/d1", HttpStatus: 200,
			Acknowledgement: &httpbody.HttpBody{ContentType: "application/json", Data: []byte(`{"status":"OK"}`)},
		}
		if diff := cmp.Diff(answer, response, protocmp.Transform()); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
	})
}

func TestAddressAndTimeOfADeliveryMayBeMissing(t *testing.T) {
	w := newWorld(t)
	for address, want := range map[string]netip.Addr{
		"": {}, "unix": {}, "203.0.113.7": netip.MustParseAddr("203.0.113.7"), "[2001:db8::1]:443": netip.MustParseAddr("2001:db8::1"),
	} {
		w.ingest = func(d provider.Delivery) (ingest.Receipt, error) {
			if d.RemoteAddr != want || !d.ReceivedAt.Equal(noon()) {
				t.Errorf("%q arrives as %s at %s", address, d.RemoteAddr, d.ReceivedAt)
			}
			return ingest.Receipt{Acknowledgement: provider.Acknowledgement{Status: 204}}, nil
		}
		got, err := normalizerv1.NewNormalizerServiceClient(w.conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{RemoteAddress: address})
		if err != nil || got.GetHttpStatus() != 204 || len(got.GetAcknowledgement().GetData()) != 0 {
			t.Errorf("answer is %v, %v", got, err)
		}
	}
}

func TestIssueTokenHandsOverTheOneAuthorization(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		w.issue = func(providerID, merchant, authorization string, body []byte) ([]byte, error) {
			return fmt.Appendf(nil, "%s/%s %q %s", providerID, merchant, authorization, body), nil
		}
		basic := &normalizerv1.Header{Name: "authorization", Value: []byte("Basic eDp5")}
		for _, tt := range []struct {
			headers []*normalizerv1.Header
			want    string
		}{
			{[]*normalizerv1.Header{basic}, `incode/acme "Basic eDp5" grant_type=client_credentials`},
			{[]*normalizerv1.Header{basic, basic}, `incode/acme "" grant_type=client_credentials`}, // which one counts?
			{nil, `incode/acme "" grant_type=client_credentials`},
		} {
			got, err := normalizerv1.NewNormalizerServiceClient(conn).IssueToken(ctx(t), &normalizerv1.IssueTokenRequest{
				Provider: "incode", Merchant: "acme", Headers: tt.headers, Body: []byte("grant_type=client_credentials"),
			})
			want := &normalizerv1.IssueTokenResponse{HttpStatus: 200, Answer: &httpbody.HttpBody{ContentType: "application/json", Data: []byte(tt.want)}}
			if diff := cmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	})
}

func TestErrorsOfADeliverySayWhatTheProviderMayKnow(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		const cause = "secret-7 of /var/lib"
		tests := []struct {
			err  error
			want failure
			log  string // its level
		}{
			{endpoint.ErrNotFound, failure{Code: codes.NotFound, Reason: "ENDPOINT_NOT_FOUND", Message: "no such endpoint"}, "DEBUG"},
			{provider.ErrNotAuthentic, failure{Code: codes.Unauthenticated, Reason: "NOT_AUTHENTIC", Message: "the delivery is not authentic"}, "DEBUG"},
			{provider.ErrUndecodable, failure{Code: codes.InvalidArgument, Reason: "UNDECODABLE", Message: "the delivery cannot be decoded"}, "DEBUG"},
			{ledger.ErrTooLarge, failure{Code: codes.ResourceExhausted, Reason: "DELIVERY_TOO_LARGE", Message: "the delivery is too large to be stored"}, "DEBUG"},
			{ledger.ErrOverloaded, failure{Code: codes.Unavailable, Reason: "OVERLOADED", Message: "too many deliveries are waiting", Retry: time.Second}, "DEBUG"},
			{ledger.ErrUnavailable, failure{Code: codes.Unavailable, Reason: "NOT_DURABLE", Message: "the delivery could not be made durable", Retry: time.Second}, "DEBUG"},
			{errLedger, failure{Code: codes.Internal, Reason: "INTERNAL", Message: "an error inside paynorm; its log says more"}, "ERROR"},
		}
		for _, tt := range tests {
			w.ingest = func(provider.Delivery) (ingest.Receipt, error) {
				return ingest.Receipt{}, fmt.Errorf("%s: %w", cause, tt.err)
			}
			_, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{
				Body: []byte("body-8"), Headers: []*normalizerv1.Header{{Name: "authorization", Value: []byte("header-9")}}, RawQuery: []byte("token=query-10"),
			})
			if diff := cmp.Diff(tt.want, failureOf(err)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", tt.err, diff)
			}
			log := w.log.Take()
			if !strings.Contains(log, "level="+tt.log) || strings.Count(log, "\n") != 1 || !strings.Contains(log, cause) {
				t.Errorf("%v is logged as\n%s\nwant one line of level %s with the cause", tt.err, log, tt.log)
			}
			for _, hidden := range []string{"body-8", "header-9", "query-10"} {
				if strings.Contains(log, hidden) {
					t.Errorf("%s is logged", hidden)
				}
			}
		}
	})
}

func TestAFaultEndsOneCallOnly(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		client := normalizerv1.NewNormalizerServiceClient(conn)
		w.ingest = func(provider.Delivery) (ingest.Receipt, error) { panic("index out of range in secret") }
		_, err := client.IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{})
		want := failure{Code: codes.Internal, Reason: "INTERNAL", Message: "an error inside paynorm; its log says more"}
		if diff := cmp.Diff(want, failureOf(err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if log := w.log.Take(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "normalizer_test.go") {
			t.Errorf("the log does not say where:\n%s", log)
		}
		w.ingest = func(provider.Delivery) (ingest.Receipt, error) { return ingest.Receipt{}, nil }
		if _, err := client.IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{}); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

func TestRequestsAreValidated(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		w.ingest = func(provider.Delivery) (ingest.Receipt, error) {
			t.Error("an invalid request got through")
			return ingest.Receipt{}, nil
		}
		_, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{
			Provider: strings.Repeat("x", 64), Method: strings.Repeat("x", 33),
		})
		fields := []string{"provider: must be at most 63 characters", "method: must be at most 32 characters"}
		want := failure{Code: codes.InvalidArgument, Reason: "INVALID_FIELD", Message: strings.Join(fields, "; "), Fields: fields}
		if diff := cmp.Diff(want, failureOf(err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestOfCallsInsideTheProcessOnlyWebhooksAreServed(t *testing.T) {
	w := newWorld(t)
	_, err := normalizerv1.NewEventServiceClient(w.server.Direct).GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: "events/e1"})
	if got := failureOf(err); got.Code != codes.Unimplemented {
		t.Errorf("GetEvent = %+v", got)
	}
	_, err = normalizerv1.NewEventServiceClient(w.server.Direct).WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{})
	if got := failureOf(err); got.Code != codes.Unimplemented {
		t.Errorf("WatchEvents = %+v", got)
	}
}

func TestMistakesOfReadersAreLoggedAsWarnings(t *testing.T) {
	w := newWorld(t)
	_, err := normalizerv1.NewEventServiceClient(w.conn).GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: "events/e1"})
	if err == nil {
		t.Fatal("an event that is not there was found")
	}
	if log := w.log.Take(); !strings.Contains(log, "level=WARN") || strings.Count(log, "\n") != 1 {
		t.Errorf("the log is\n%s\nwant one warning", log)
	}
}

func TestHealthAndReflectionAreServed(t *testing.T) {
	w := newWorld(t)
	for _, service := range []string{"", "paynorm.normalizer.v1.NormalizerService", "paynorm.normalizer.v1.EventService"} {
		got, err := healthv1.NewHealthClient(w.conn).Check(ctx(t), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q is %v, %v", service, got, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(w.conn).ServerReflectionInfo(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	got, err := stream.Recv()
	if err != nil || len(got.GetListServicesResponse().GetService()) < 5 {
		t.Errorf("services are %v, %v", got, err)
	}
}

func TestALargeDeliveryFits(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, conn grpc.ClientConnInterface) {
		size := 0
		w.ingest = func(d provider.Delivery) (ingest.Receipt, error) {
			size = len(d.Body)
			return ingest.Receipt{}, nil
		}
		if _, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{Body: make([]byte, 4<<20)}); err != nil || size != 4<<20 {
			t.Errorf("4 MiB: %v, %d bytes arrive", err, size)
		}
		_, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(ctx(t), &normalizerv1.IngestDeliveryRequest{Body: make([]byte, 4<<20+1)})
		if got := failureOf(err); got.Code != codes.InvalidArgument || len(got.Fields) != 1 || !strings.HasPrefix(got.Fields[0], "body: ") {
			t.Errorf("one byte more: %+v", got)
		}
	})
}

// BenchmarkIngestDelivery measures what a webhook of 1 KiB with ten headers costs on each way.
func BenchmarkIngestDelivery(b *testing.B) {
	w := newWorld(b)
	w.ingest = func(provider.Delivery) (ingest.Receipt, error) {
		return ingest.Receipt{Delivery: "deliveries/d1", Acknowledgement: provider.Acknowledgement{Status: 204}}, nil
	}
	request := &normalizerv1.IngestDeliveryRequest{Provider: "clip", Merchant: "acme", Method: "POST", Body: make([]byte, 1024), RemoteAddress: "203.0.113.7:4711"}
	for i := range 10 {
		request.Headers = append(request.Headers, &normalizerv1.Header{Name: fmt.Sprint("x-header-", i), Value: []byte("some value or other")})
	}
	for name, conn := range map[string]grpc.ClientConnInterface{"grpc": w.conn, "direct": w.server.Direct} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := normalizerv1.NewNormalizerServiceClient(conn).IngestDelivery(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
