package client

import (
	"context"
	"iter"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// Queries asks a paynorm over gRPC. It is safe for concurrent use. Errors are
// those of gRPC; Reason has the part of them that programs decide by.
type Queries struct {
	events     normalizerv1.EventServiceClient
	payments   normalizerv1.PaymentServiceClient
	deliveries normalizerv1.DeliveryServiceClient
	wait       func(ctx context.Context, d time.Duration) error
}

// NewQueries asks over conn; see DialGRPC.
func NewQueries(conn grpc.ClientConnInterface) *Queries {
	return &Queries{
		events:     normalizerv1.NewEventServiceClient(conn),
		payments:   normalizerv1.NewPaymentServiceClient(conn),
		deliveries: normalizerv1.NewDeliveryServiceClient(conn),
		wait:       wait,
	}
}

// Event returns the event with a name like "events/e0…".
func (q *Queries) Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error) {
	return q.events.GetEvent(ctx, &normalizerv1.GetEventRequest{Name: name})
}

// Payment returns the payment with a name like "payments/p0…".
func (q *Queries) Payment(ctx context.Context, name string) (*normalizerv1.Payment, error) {
	return q.payments.GetPayment(ctx, &normalizerv1.GetPaymentRequest{Name: name})
}

// Explain tells the story of a payment.
func (q *Queries) Explain(ctx context.Context, name string) (*normalizerv1.ExplainPaymentResponse, error) {
	return q.payments.ExplainPayment(ctx, &normalizerv1.ExplainPaymentRequest{Name: name})
}

// Events returns the events that filter selects, newest first; the grammar is
// that of ListEventsRequest.filter, and an empty filter selects all. Pages are
// fetched as they are needed. After an error there is nothing more.
func (q *Queries) Events(ctx context.Context, filter string) iter.Seq2[*eventv1.PaymentStatusChanged, error] {
	return pages(func(token string) ([]*eventv1.PaymentStatusChanged, string, error) {
		page, err := q.events.ListEvents(ctx, &normalizerv1.ListEventsRequest{Filter: filter, PageSize: pageSize, PageToken: token})
		return page.GetEvents(), page.GetNextPageToken(), err
	})
}

// Payments returns the payments that filter selects, those that changed last
// first; otherwise as Events. A payment that changes meanwhile may be missed or come twice.
func (q *Queries) Payments(ctx context.Context, filter string) iter.Seq2[*normalizerv1.Payment, error] {
	return pages(func(token string) ([]*normalizerv1.Payment, string, error) {
		page, err := q.payments.ListPayments(ctx, &normalizerv1.ListPaymentsRequest{Filter: filter, PageSize: pageSize, PageToken: token})
		return page.GetPayments(), page.GetNextPageToken(), err
	})
}

// Deliveries returns the deliveries that filter selects, newest first, without
// their content; otherwise as Events.
func (q *Queries) Deliveries(ctx context.Context, filter string) iter.Seq2[*normalizerv1.Delivery, error] {
	return pages(func(token string) ([]*normalizerv1.Delivery, string, error) {
		page, err := q.deliveries.ListDeliveries(ctx, &normalizerv1.ListDeliveriesRequest{Filter: filter, PageSize: pageSize, PageToken: token})
		return page.GetDeliveries(), page.GetNextPageToken(), err
	})
}

// pageSize is how many are fetched at once.
const pageSize = 200

// pages goes from page to page.
func pages[T any](fetch func(token string) (page []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for token := ""; ; {
			page, next, err := fetch(token)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if token = next; token == "" {
				return
			}
		}
	}
}

// Reason is the reason of an error of Queries, for example "NOT_FOUND" or
// "CURSOR_NOT_KEPT", as the enum ErrorReason lists them without its prefix.
// It is empty when the error is not paynorm's own.
func Reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "paynorm.dev" {
			return info.GetReason()
		}
	}
	return ""
}
