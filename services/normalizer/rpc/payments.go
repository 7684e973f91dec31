package rpc

import (
	"context"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// PaymentReader is what the payment service reads from; see view.View.
type PaymentReader interface {
	Payment(ctx context.Context, name string) (view.Payment, error)
	Payments(ctx context.Context, q view.Query) ([]view.Payment, error)
	Story(ctx context.Context, payment string, limit int) (items []view.StoryItem, truncated bool, err error)
}

// Payments serves PaymentService.
type Payments struct {
	normalizerv1.UnimplementedPaymentServiceServer
	reader     PaymentReader
	ledger     LedgerReader
	normalizer *normalize.Normalizer
	schema     filter.Schema
}

// NewPayments returns the payment service over reader. Explanations take the
// deliveries from l and the mapping rows from n.
func NewPayments(reader PaymentReader, l LedgerReader, n *normalize.Normalizer) *Payments {
	return &Payments{reader: reader, ledger: l, normalizer: n, schema: filter.Payments()}
}

// GetPayment implements PaymentService.
func (s *Payments) GetPayment(ctx context.Context, r *normalizerv1.GetPaymentRequest) (*normalizerv1.Payment, error) {
	p, err := s.reader.Payment(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	return resource(p), nil
}

// ListPayments implements PaymentService.
func (s *Payments) ListPayments(ctx context.Context, r *normalizerv1.ListPaymentsRequest) (*normalizerv1.ListPaymentsResponse, error) {
	conditions, err := parse(ctx, s.schema, r.GetFilter())
	if err != nil {
		return nil, err
	}
	before, err := pageStart("ListPayments", r.GetFilter(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	found, err := s.reader.Payments(ctx, view.Query{Filter: conditions, Before: before, Limit: size + 1})
	if err != nil {
		return nil, err
	}
	payments := make([]*normalizerv1.Payment, len(found))
	for i, p := range found {
		payments[i] = resource(p)
	}
	page := &normalizerv1.ListPaymentsResponse{Payments: payments[:fit(payments, size)]}
	if n := len(page.Payments); n < len(found) {
		page.NextPageToken = nextPage("ListPayments", r.GetFilter(), found[n-1].UpdateCursor)
	}
	return page, nil
}

// resource puts a payment's state machines together.
func resource(p view.Payment) *normalizerv1.Payment {
	lead, last, machines := view.Lead(p.State), view.Last(p.State), p.State.GetMachines()
	out := &normalizerv1.Payment{
		Name: p.Name, Provider: lead.GetProvider(), Merchant: lead.GetMerchant(), Mode: lead.GetMode(),
		Direction: lead.GetDirection(), ProviderPaymentId: lead.GetProviderPaymentId(),
		MerchantReference: view.MerchantReference(p.State),
		PaymentStatus:     machines["payment"].GetLast().GetPaymentStatus(),
		ProofStatus:       machines["proof"].GetLast().GetProofStatus(),
		Version:           p.State.GetVersion(), Dispute: machines["dispute"].GetLast(),
	}
	if out.GetPaymentStatus() != 0 || out.GetProofStatus() != 0 { // else lead is a refund or dispute
		out.Final, out.ActionBy, out.Reason = lead.GetFinal(), lead.GetActionBy(), lead.GetReason()
		out.Amount, out.AmountPaid, out.Fee = lead.GetAmount(), lead.GetAmountPaid(), lead.GetFee()
	}
	if len(last) > 0 {
		out.UpdateTime, out.LastEvent = last[0].GetReceiveTime(), last[0].GetName()
	}
	for _, e := range last {
		if e.GetKind() == eventv1.Kind_KIND_REFUND {
			out.Refunds = append(out.Refunds, e)
		}
	}
	out.AmountRefunded = payment.Refunded(p.State)
	return out
}
