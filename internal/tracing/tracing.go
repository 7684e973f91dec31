package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options says where traces go.
type Options struct {
	Endpoint string  // of the collector, for OTLP over HTTP, as a URL
	Ratio    float64 // of deliveries that are traced, 0 to 1
}

// Tracer makes the spans of deliveries. A nil Tracer makes none and costs nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	sampler  sdk.Sampler
}

// New returns a tracer that sends spans in the background. The collector need
// not be there: what cannot be sent is dropped.
func New(ctx context.Context, o Options) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint))
	if err != nil {
		return nil, err
	}
	return newTracer(sdk.NewBatchSpanProcessor(exporter), o), nil
}

func newTracer(to sdk.SpanProcessor, o Options) *Tracer {
	sampler := sdk.TraceIDRatioBased(o.Ratio)
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(to), sdk.WithIDGenerator(generator{}), sdk.WithSampler(sampler),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "paynorm"))),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/paynorm/paynorm"), sampler: sampler}
}

// Close sends what is left and stops. It gives up when ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Header returns the traceparent header of a delivery.
func (t *Tracer) Header(id ID) string { return id.Header(t.sampled(id)) }

func (t *Tracer) sampled(id ID) bool {
	if t == nil {
		return false
	}
	return t.sampler.ShouldSample(sdk.SamplingParameters{TraceID: id.Trace}).Decision == sdk.RecordAndSample
}

// Delivery begins the first span of the delivery that an endpoint received at a
// time, at that time.
func (t *Tracer) Delivery(name, provider, merchant string, receivedAt time.Time) Span {
	if t == nil {
		return Span{}
	}
	ctx := context.WithValue(context.Background(), rootKey{}, OfDelivery(provider, merchant, receivedAt))
	_, s := t.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithTimestamp(receivedAt), trace.WithSpanKind(trace.SpanKindServer))
	return Span{s}
}

// Part begins a span of the delivery that an endpoint received at a time, below
// its first span, wherever that was made.
func (t *Tracer) Part(name, provider, merchant string, receivedAt time.Time) Span {
	if t == nil {
		return Span{}
	}
	id := OfDelivery(provider, merchant, receivedAt)
	if !t.sampled(id) {
		return Span{}
	}
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id.Trace, SpanID: id.Span, TraceFlags: trace.FlagsSampled, Remote: true})
	_, s := t.tracer.Start(trace.ContextWithSpanContext(context.Background(), parent), name)
	return Span{s}
}

// Span is a span in work, or nothing. End must be called.
type Span struct{ span trace.Span }

// Text notes a word of paynorm's own about the span, never anything of a payload.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Number notes a number about the span.
func (s Span) Number(key string, value int64) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int64(key, value))
	}
}

// End ends the span; failed says that what it covers did not succeed.
func (s Span) End(failed bool) {
	if s.span == nil {
		return
	}
	if failed {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// generator gives the first span of a delivery the delivery's IDs, and draws the others.
type generator struct{}

type rootKey struct{}

// NewIDs implements the SDK's IDGenerator for a span without a parent.
func (g generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if id, ok := ctx.Value(rootKey{}).(ID); ok {
		return id.Trace, id.Span
	}
	var drawn trace.TraceID
	binary.BigEndian.PutUint64(drawn[:8], rand.Uint64())
	binary.BigEndian.PutUint64(drawn[8:], rand.Uint64())
	return drawn, g.NewSpanID(ctx, drawn)
}

// NewSpanID implements the SDK's IDGenerator for a span with a parent.
func (generator) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], rand.Uint64())
	return id
}
