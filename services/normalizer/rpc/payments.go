package rpc

import (
	"context"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// PaymentReader is what the payment service reads from; see view.View.
type PaymentReader interface {
	Payment(ctx context.Context, name string) (view.Payment, error)
	Payments(ctx context.Context, q view.Query) ([]view.Payment, error)
}

// Payments serves PaymentService.
type Payments struct {
	normalizerv1.UnimplementedPaymentServiceServer
	reader PaymentReader
	schema filter.Schema
}

// NewPayments returns the payment service over reader.
func NewPayments(reader PaymentReader) *Payments {
	return &Payments{reader: reader, schema: filter.Payments()}
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
	conditions, err := parse(s.schema, r.GetFilter())
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
	page := &normalizerv1.ListPaymentsResponse{}
	for i, p := range found {
		if i == size {
			page.NextPageToken = nextPage("ListPayments", r.GetFilter(), found[size-1].UpdateCursor)
			break
		}
		page.Payments = append(page.Payments, resource(p))
	}
	return page, nil
}

// resource puts a payment's state machines together.
func resource(p view.Payment) *normalizerv1.Payment {
	lead, last := view.Lead(p.State), view.Last(p.State)
	out := &normalizerv1.Payment{
		Name: p.Name, Provider: lead.GetProvider(), Merchant: lead.GetMerchant(), Mode: lead.GetMode(),
		Direction: lead.GetDirection(), ProviderPaymentId: lead.GetProviderPaymentId(),
		MerchantReference: view.MerchantReference(p.State),
		Version:           p.State.GetVersion(), Dispute: p.State.GetMachines()["dispute"].GetLast(),
	}
	if len(last) > 0 {
		out.UpdateTime, out.LastEvent = last[0].GetReceiveTime(), last[0].GetName()
	}
	for key, m := range p.State.GetMachines() {
		switch {
		case key == "payment", key == "proof":
			describe(out, m.GetLast())
		case strings.HasPrefix(key, "refund/"):
			out.Refunds = append(out.Refunds, m.GetLast())
		}
	}
	newestFirst(out.Refunds)
	for _, r := range out.GetRefunds() {
		if out.AmountRefunded == nil {
			out.AmountRefunded = r.GetAmountRefunded() // each refund carries the sum so far
		}
	}
	return out
}

// describe copies what the last event of the payment or proof itself says.
func describe(p *normalizerv1.Payment, e *eventv1.PaymentStatusChanged) {
	p.PaymentStatus, p.ProofStatus = e.GetPaymentStatus(), e.GetProofStatus()
	p.Final, p.ActionBy, p.Reason = e.GetFinal(), e.GetActionBy(), e.GetReason()
	p.Amount, p.AmountPaid, p.AmountRefunded, p.Fee = e.GetAmount(), e.GetAmountPaid(), e.GetAmountRefunded(), e.GetFee()
}
