package rpc

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/drift"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Providers serves ProviderService.
type Providers struct {
	normalizerv1.UnimplementedProviderServiceServer
	known []*normalizerv1.Provider // by name
	drift *drift.Book
}

// NewProviders returns the provider service of adapters. book is where schema drift is kept.
func NewProviders(adapters []provider.Adapter, book *drift.Book) *Providers {
	s := &Providers{drift: book}
	for _, a := range adapters {
		s.known = append(s.known, describeProvider(a.Describe()))
	}
	slices.SortFunc(s.known, func(a, b *normalizerv1.Provider) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return s
}

// GetProvider implements ProviderService.
func (s *Providers) GetProvider(ctx context.Context, r *normalizerv1.GetProviderRequest) (*normalizerv1.Provider, error) {
	for _, p := range s.known {
		if p.GetName() == r.GetName() {
			return s.withDrift(ctx, p), nil
		}
	}
	return nil, fmt.Errorf("%s: %w", r.GetName(), view.ErrNotFound)
}

// ListProviders implements ProviderService.
func (s *Providers) ListProviders(ctx context.Context, r *normalizerv1.ListProvidersRequest) (*normalizerv1.ListProvidersResponse, error) {
	start, err := pageStart("ListProviders", "", r.GetPageToken())
	if err != nil {
		return nil, err
	}
	rest := s.known[min(max(start, 0), int64(len(s.known))):]
	size := min(pageSize(r.GetPageSize()), len(rest))
	page := &normalizerv1.ListProvidersResponse{}
	for _, p := range rest[:size] {
		page.Providers = append(page.Providers, s.withDrift(ctx, p))
	}
	if size < len(rest) {
		page.NextPageToken = nextPage("ListProviders", "", start+int64(size))
	}
	return page, nil
}

// withDrift adds the schema drift, which is that of the webhooks of all merchants:
// who does not see all of them is not told.
func (s *Providers) withDrift(ctx context.Context, p *normalizerv1.Provider) *normalizerv1.Provider {
	id := p.GetName()[len("providers/"):]
	members := s.drift.Members(id)
	if len(members) == 0 || !access.From(ctx).SeesAll(id) {
		return p
	}
	p = proto.CloneOf(p)
	for _, m := range members {
		p.SchemaDrifts = append(p.SchemaDrifts, &normalizerv1.SchemaDrift{
			Member: m.Name, DeliveryCount: m.Deliveries,
			FirstReceiveTime: timestamppb.New(m.FirstTime), LastReceiveTime: timestamppb.New(m.LastTime),
		})
	}
	return p
}

func describeProvider(d provider.Descriptor) *normalizerv1.Provider {
	p := &normalizerv1.Provider{
		Name: "providers/" + d.ID, Title: d.Title, DocumentationUri: d.Documentation,
		AcknowledgementStatus: int32(d.Acknowledgement.Status), AcknowledgementBody: d.Acknowledgement.Body,
		RetryPolicy: d.RetryPolicy, MappingVersion: d.MappingVersion,
	}
	for _, s := range d.Schemes {
		p.AuthSchemes = append(p.AuthSchemes, string(s))
	}
	for _, m := range d.Mappings {
		p.Mappings = append(p.Mappings, describeMapping(m))
	}
	return p
}

func describeMapping(m provider.Mapping) *normalizerv1.Mapping {
	return &normalizerv1.Mapping{ProviderStatus: m.ProviderStatus, Outcome: m.Outcome, Reason: m.Reason, Source: m.Source}
}
