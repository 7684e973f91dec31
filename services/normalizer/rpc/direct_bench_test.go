package rpc

import (
	"context"
	"log/slog"
	"testing"
	"time"
	"fmt"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/proto"
	"google.golang.org/grpc"
)

type nop struct{}

func (nop) Ingest(context.Context, provider.Delivery) (ingest.Receipt, error) {
	return ingest.Receipt{Delivery: "deliveries/1", Acknowledgement: provider.Acknowledgement{Status: 200, ContentType: "application/json", Body: `{"status":"OK"}`}}, nil
}

func BenchmarkDirect(b *testing.B) {
	s, err := New(Services{Normalizer: &Normalizer{Ingester: nop{}, Now: time.Now}, Events: &Events{}, Payments: &Payments{}, Providers: &Providers{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	req := &normalizerv1.IngestDeliveryRequest{Provider: "clip", Merchant: "acme", Method: "POST", Path: "/webhooks/clip/acme", Body: make([]byte, 1024), RemoteAddress: "203.0.113.7:4711"}
	for i := range 10 {
		req.Headers = append(req.Headers, &normalizerv1.Header{Name: fmt.Sprint("x-header-", i), Value: []byte("some value or other")})
	}
	c := normalizerv1.NewNormalizerServiceClient(s.Direct)
	b.Run("invoke", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.IngestDelivery(context.Background(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("handOver", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = handOver(&normalizerv1.IngestDeliveryRequest{}, req)
		}
	})
	b.Run("merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			proto.Merge(&normalizerv1.IngestDeliveryRequest{}, req)
		}
	})
	_ = grpc.Version
}
