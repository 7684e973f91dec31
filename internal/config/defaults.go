package config

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// The values of fields that a configuration leaves out.
const (
	DefaultHTTPAddress           = "127.0.0.1:8080"
	DefaultMaxBodyBytes          = 1 << 20
	DefaultMaxHeaderBytes        = 32 << 10
	DefaultMaxConcurrentWebhooks = 2048
	DefaultMaxBytesInFlight      = 64 << 20
	DefaultMaxConnections        = 4096
	DefaultReadTimeout           = 15 * time.Second
	DefaultWebhookTimeout        = 8 * time.Second
	DefaultGRPCAddress           = "127.0.0.1:9090"
	DefaultMetricsAddress        = "127.0.0.1:9464"
	DefaultDataDir               = "./data"
	DefaultNATSAddress           = "127.0.0.1:4222"
	DefaultReplicas              = 1
	DefaultEncoding              = "protobuf"
	DefaultTokenTTL              = 300 * time.Second
	DefaultMaxSkew               = 300 * time.Second
)

// Defaults fills in what cfg leaves out. Zero counts as left out. Every message
// of cfg is set afterwards.
func Defaults(cfg *configv1.Config) {
	cfg.Http = orNew(cfg.Http)
	fill(&cfg.Http.Address, DefaultHTTPAddress)
	fill(&cfg.Http.MaxBodyBytes, DefaultMaxBodyBytes)
	fill(&cfg.Http.MaxHeaderBytes, DefaultMaxHeaderBytes)
	fill(&cfg.Http.MaxConcurrentWebhooks, DefaultMaxConcurrentWebhooks)
	fill(&cfg.Http.MaxBytesInFlight, DefaultMaxBytesInFlight)
	fill(&cfg.Http.MaxConnections, DefaultMaxConnections)
	fillDuration(&cfg.Http.ReadTimeout, DefaultReadTimeout)
	fillDuration(&cfg.Http.WebhookTimeout, DefaultWebhookTimeout)

	cfg.Grpc = orNew(cfg.Grpc)
	fill(&cfg.Grpc.Address, DefaultGRPCAddress)
	cfg.Metrics = orNew(cfg.Metrics)
	fill(&cfg.Metrics.Address, DefaultMetricsAddress)
	fill(&cfg.DataDir, DefaultDataDir)

	cfg.Nats = orNew(cfg.Nats)
	if cfg.Nats.Url == "" {
		fill(&cfg.Nats.Address, DefaultNATSAddress)
	}
	fill(&cfg.Nats.Replicas, DefaultReplicas)
	cfg.Events = orNew(cfg.Events)
	fill(&cfg.Events.Encoding, DefaultEncoding)
	cfg.Gateway = orNew(cfg.Gateway)
	fill(&cfg.Gateway.NormalizerAddress, cfg.Grpc.Address)

	defaultAccess(cfg)
	defaultBurst(cfg.Http.EndpointRate, cfg.Http.AddressRate)
	for _, e := range cfg.Endpoints {
		for _, a := range e.Auth {
			if o := a.GetOauth2(); o != nil {
				fillDuration(&o.TokenTtl, DefaultTokenTTL)
			}
			if j := a.GetJwt(); j != nil {
				fillDuration(&j.MaxSkew, DefaultMaxSkew)
			}
		}
	}
}

func orNew[T any](m *T) *T {
	if m == nil {
		return new(T)
	}
	return m
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func fillDuration(field **durationpb.Duration, value time.Duration) {
	if (*field).AsDuration() == 0 {
		*field = durationpb.New(value)
	}
}
