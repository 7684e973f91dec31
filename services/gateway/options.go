package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/paynorm/paynorm/internal/tracing"
	"google.golang.org/grpc"
)

// maxBody is the largest MaxBodyBytes: what IngestDeliveryRequest.body may hold.
const maxBody = 4 << 20

// Options says what the gateway talks to and how much it takes. A zero limit
// means its default.
type Options struct {
	// Webhooks reaches the NormalizerService. Only unary calls are made on it.
	Webhooks grpc.ClientConnInterface
	// Reads reaches the services of the JSON API. It must support streams.
	Reads grpc.ClientConnInterface
	// Providers are the IDs that metrics may show; any other counts as "other".
	Providers []string

	// MaxBodyBytes is the largest webhook body. Default 1 MiB, at most 4 MiB.
	MaxBodyBytes int64
	// MaxConcurrentWebhooks is how many webhooks may be in work; more are
	// answered 503 at once. Default 2048.
	MaxConcurrentWebhooks int
	// MaxBytesInFlight is how many bytes of webhook bodies may be in work; more
	// are answered 503. A body counts with its Content-Length, or with
	// MaxBodyBytes until its length is known. Default 64 MiB, at least MaxBodyBytes.
	MaxBytesInFlight int64
	// WebhookTimeout is how long a webhook may wait for its acknowledgement
	// before it is answered 503. Default 8s.
	WebhookTimeout time.Duration
	// ReadHeaderTimeout is how long a sender may take for the headers. Default
	// 5s, and never more than ReadTimeout.
	ReadHeaderTimeout time.Duration
	// ReadTimeout is how long a sender may take for headers and body. Default 15s.
	ReadTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request. Default 90s.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds the request line and headers. Default 32 KiB.
	MaxHeaderBytes int

	// TrustedProxies are the addresses whose X-Forwarded-For is believed. Default: nobody's.
	TrustedProxies []netip.Prefix
	// EndpointRate is how many webhooks one endpoint may receive; more are answered
	// 503. Default: any number. It never has more than three quarters of
	// MaxConcurrentWebhooks in work.
	EndpointRate Rate
	// AddressRate is how many webhooks one address may send, or one IPv6 network of
	// 64 bits; more are answered 503. Default: any number.
	AddressRate Rate

	// Ready says why requests cannot be served; nil when they can. Without it,
	// the gateway is always ready. Its text is shown by /readyz.
	Ready func(context.Context) error
	// OpenAPI is what /openapi.json answers. Empty: 404.
	OpenAPI []byte
	// AsyncAPI is what /asyncapi.json answers. Empty: 404.
	AsyncAPI []byte
	// Reference answers GET and HEAD of /docs and its style sheet. Nil: 404.
	Reference http.Handler
	// Now is the clock of receive times: time.Now, but for tests. Required.
	Now func() time.Time
	// Logger takes panics and broken acknowledgements. Default: discarded.
	Logger *slog.Logger
	// Metrics hears of each webhook. Default: nobody does.
	Metrics Metrics
	// Tracer makes the first span of each webhook. Default: none.
	Tracer *tracing.Tracer
}

// Metrics hears of what the gateway does.
type Metrics interface {
	// Webhook is told of each request below /webhooks/ when it is answered.
	// provider is one of Options.Providers or "other".
	Webhook(provider string, status int, seconds float64)
}

type noMetrics struct{}

func (noMetrics) Webhook(string, int, float64) {}

func (o Options) withDefaults() (Options, error) {
	if o.Webhooks == nil || o.Reads == nil {
		return o, errors.New("no connection to the services")
	}
	if o.Now == nil {
		return o, errors.New("no clock")
	}
	if o.MaxBodyBytes < 0 || o.MaxBodyBytes > maxBody {
		return o, fmt.Errorf("MaxBodyBytes must be 0 to %d", maxBody)
	}
	if o.MaxConcurrentWebhooks < 0 || o.MaxHeaderBytes < 0 {
		return o, errors.New("a limit is negative")
	}
	if min(o.WebhookTimeout, o.ReadHeaderTimeout, o.ReadTimeout, o.IdleTimeout) < 0 {
		return o, errors.New("a timeout is negative")
	}
	o.MaxBodyBytes = cmp.Or(o.MaxBodyBytes, 1<<20)
	o.MaxConcurrentWebhooks = cmp.Or(o.MaxConcurrentWebhooks, 2048)
	o.MaxBytesInFlight = cmp.Or(o.MaxBytesInFlight, 64<<20)
	if o.MaxBytesInFlight < o.MaxBodyBytes {
		return o, errors.New("MaxBytesInFlight is less than MaxBodyBytes")
	}
	o.WebhookTimeout = cmp.Or(o.WebhookTimeout, 8*time.Second)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 15*time.Second)
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	return o, nil
}
