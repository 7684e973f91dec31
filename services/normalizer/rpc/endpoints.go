package rpc

import (
	"context"
	"fmt"
	"strings"
	"time"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/activity"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Endpoints serves EndpointService.
type Endpoints struct {
	normalizerv1.UnimplementedEndpointServiceServer
	activity *activity.Book
	now      func() time.Time
}

// NewEndpoints returns the endpoint service of what book remembers.
func NewEndpoints(book *activity.Book, now func() time.Time) *Endpoints {
	return &Endpoints{activity: book, now: now}
}

// GetEndpoint implements EndpointService.
func (s *Endpoints) GetEndpoint(_ context.Context, r *normalizerv1.GetEndpointRequest) (*normalizerv1.Endpoint, error) {
	for _, report := range s.activity.Reports(s.now()) {
		if e := describeEndpoint(report); e.GetName() == r.GetName() {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", r.GetName(), view.ErrNotFound)
}

// ListEndpoints implements EndpointService.
func (s *Endpoints) ListEndpoints(_ context.Context, r *normalizerv1.ListEndpointsRequest) (*normalizerv1.ListEndpointsResponse, error) {
	of := strings.TrimPrefix(r.GetParent(), "providers/")
	all := &normalizerv1.ListEndpointsResponse{}
	for _, report := range s.activity.Reports(s.now()) {
		if of == "-" || of == report.Provider {
			all.Endpoints = append(all.Endpoints, describeEndpoint(report))
		}
	}
	return all, nil
}

func describeEndpoint(r activity.Report) *normalizerv1.Endpoint {
	e := &normalizerv1.Endpoint{
		Name:     "providers/" + r.Provider + "/endpoints/" + r.Merchant,
		Provider: r.Provider, Merchant: r.Merchant, Mode: r.Mode,
		AuthenticCount: r.Authentic, RefusedCount: r.Refused,
		LastAuthenticTime: timeOrNil(r.LastAuthentic), LastRefusedTime: timeOrNil(r.LastRefused),
		Silent: r.Silent,
	}
	if r.UsualSilence > 0 {
		e.UsualSilence = durationpb.New(r.UsualSilence)
	}
	for _, k := range r.Keys {
		e.Keys = append(e.Keys, &normalizerv1.EndpointKey{Id: k.ID, UseCount: k.Uses, LastUseTime: timeOrNil(k.Last)})
	}
	for _, f := range r.Refusals {
		e.RefusedWebhooks = append(e.RefusedWebhooks, &normalizerv1.RefusedWebhook{
			ReceiveTime: timestamppb.New(f.Time), RemoteAddress: f.Remote, Cause: f.Cause,
		})
	}
	return e
}

func timeOrNil(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
