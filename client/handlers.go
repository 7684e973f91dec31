package client

import (
	"context"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Handlers are called with what is subscribed to, one for each kind. ctx ends
// with Options.HandlerTimeout; it does not end when the subscription does, so
// that work in hand is finished. An error has the event delivered again later.
//
// What has no handler goes to Default; without Default it is passed over.
type Handlers struct {
	OnPayment    func(ctx context.Context, e *Event) error
	OnRefund     func(ctx context.Context, e *Event) error
	OnDispute    func(ctx context.Context, e *Event) error
	OnProof      func(ctx context.Context, e *Event) error
	OnQuarantine func(ctx context.Context, n *Notice) error
	// Default also gets events of kinds that this program does not know.
	Default func(ctx context.Context, e *Event) error
}

// handle calls the handler for r.
func (h Handlers) handle(ctx context.Context, r received) error {
	if r.notice != nil {
		if h.OnQuarantine == nil {
			return nil
		}
		return h.OnQuarantine(ctx, r.notice)
	}
	handler := map[eventv1.Kind]func(context.Context, *Event) error{
		eventv1.Kind_KIND_PAYMENT: h.OnPayment,
		eventv1.Kind_KIND_REFUND:  h.OnRefund,
		eventv1.Kind_KIND_DISPUTE: h.OnDispute,
		eventv1.Kind_KIND_PROOF:   h.OnProof,
	}[r.event.GetKind()]
	if handler == nil {
		handler = h.Default
	}
	if handler == nil {
		return nil
	}
	return handler(ctx, r.event)
}
