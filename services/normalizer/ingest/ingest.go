// Package ingest is the use case of a webhook: authenticate it, make it
// durable, and say what the provider wants to hear.
package ingest

import (
	"context"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/tracing"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Endpoints finds who may post what.
type Endpoints interface {
	// Find returns the endpoint, or an error that wraps endpoint.ErrNotFound.
	Find(providerID, merchant string) (*endpoint.Endpoint, error)
}

// Ledger makes deliveries durable.
type Ledger interface {
	// Append returns once d is durable; see ledger.Ledger.
	Append(ctx context.Context, d *ledgerv1.Delivery) (ledger.Place, error)
}

// Observer learns how authentication went, for metrics.
type Observer interface {
	// Authenticated is called for each delivery to an endpoint that exists;
	// err is nil when it was authentic. d must not be kept.
	Authenticated(d provider.Delivery, v provider.Verified, err error)
}

// Receipt is what a provider is told.
type Receipt struct {
	Delivery        string // deliveries/{id}
	Acknowledgement provider.Acknowledgement
}

// Service takes webhooks.
type Service struct {
	Endpoints Endpoints
	Ledger    Ledger
	Observer  Observer
	Tracer    *tracing.Tracer // nil: nothing is traced
	// DeliveryName names the delivery that was stored at a place.
	DeliveryName func(ledger.Place) string
}

// Ingest authenticates d and stores it. After nil it is durable. d's mode is
// that of the endpoint, whatever d says. Errors wrap endpoint.ErrNotFound,
// provider.ErrNotAuthentic, provider.ErrUndecodable or those of ledger.Append.
func (s *Service) Ingest(ctx context.Context, d provider.Delivery) (Receipt, error) {
	e, err := s.Endpoints.Find(d.Provider, d.Merchant)
	if err != nil {
		return Receipt{}, err
	}
	d.Mode = e.Mode
	verifying := s.Tracer.Part("verify", d.Provider, d.Merchant, d.ReceivedAt)
	verified, err := e.Adapter.Verify(d, e.Keys)
	verifying.End(err != nil)
	s.Observer.Authenticated(d, verified, err)
	if err != nil {
		return Receipt{}, err
	}
	appending := s.Tracer.Part("append to the ledger", d.Provider, d.Merchant, d.ReceivedAt)
	place, err := s.Ledger.Append(ctx, record(d, e, verified))
	appending.End(err != nil)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Delivery: s.DeliveryName(place), Acknowledgement: e.Acknowledgement}, nil
}

// record is what the ledger keeps of a delivery: everything but the credentials.
func record(d provider.Delivery, e *endpoint.Endpoint, v provider.Verified) *ledgerv1.Delivery {
	redact := newRedactor(d, e)
	r := &ledgerv1.Delivery{
		Provider: d.Provider, Merchant: d.Merchant, Mode: d.Mode,
		Method: d.Method, Path: d.Path, RawQuery: redact.query(d.RawQuery),
		Headers: make([]*ledgerv1.Header, len(d.Headers)),
		Body:    d.Body, RemoteAddress: d.RemoteAddr.String(),
		ReceiveTime:    timestamppb.New(d.ReceivedAt),
		Verification:   &eventv1.Verification{Scheme: v.Scheme, KeyId: v.KeyID, Coverage: v.Coverage},
		ExpectAccounts: e.ExpectAccounts,
	}
	size := 0
	for _, h := range d.Headers {
		size += max(len(h.Value), len(redacted))
	}
	lines, values := make([]ledgerv1.Header, len(d.Headers)), make([]byte, 0, size)
	for i, h := range d.Headers {
		start := len(values)
		values = append(values, redact.header(h)...)
		lines[i].Name, lines[i].Value = h.Name, values[start:len(values):len(values)]
		r.Headers[i] = &lines[i]
	}
	if len(v.Plaintext) != len(d.Body) || len(d.Body) > 0 && &v.Plaintext[0] != &d.Body[0] {
		r.Plaintext = v.Plaintext
	}
	return r
}
