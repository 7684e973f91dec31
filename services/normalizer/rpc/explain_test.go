package rpc_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// paymentOf returns the payment that a delivery told of.
func (p *pipeline) paymentOf(name string) string {
	p.t.Helper()
	e, err := normalizerv1.NewEventServiceClient(p.conn).GetEvent(ctx(p.t), &normalizerv1.GetEventRequest{Name: p.get(name, basic).GetOutcomes()[0].GetEvent()})
	if err != nil {
		p.t.Fatal(err)
	}
	return e.GetPayment()
}

func (p *pipeline) explain(payment string) *normalizerv1.ExplainPaymentResponse {
	p.t.Helper()
	x, err := normalizerv1.NewPaymentServiceClient(p.conn).ExplainPayment(ctx(p.t), &normalizerv1.ExplainPaymentRequest{Name: payment})
	if err != nil {
		p.t.Fatal(err)
	}
	return x
}

func TestAPaymentIsExplainedFromItsFirstDeliveryOn(t *testing.T) {
	p := newPipeline(t)
	names := p.send("clip", clip("CREATED", "created_at", 1), clip("EXPIRED", "expired_at", 2), clip("COMPLETED", "completed_at", 5),
		clip("COMPLETED", "completed_at", 5), clip("PENDING", "declined_at", 3))
	x := p.explain(p.paymentOf(names[0]))
	if x.GetPayment().GetVersion() != 2 || x.GetTruncated() || len(x.GetSteps()) != 5 {
		t.Fatalf("explanation is %v", x)
	}
	for i, want := range []struct{ row, subject, effect string }{
		{"CHECKOUT CREATED", "payments.v1.live.clip.acme.payment.pending", "The payment became known as PENDING. Version 1."},
		{"", "quarantine.v1.clip.acme", "No event: it is quarantined as unmapped: EXPIRED is not mapped yet."},
		{"CHECKOUT COMPLETED", "payments.v1.live.clip.acme.payment.paid", "The payment went from PENDING to PAID. Version 2."},
		{"CHECKOUT COMPLETED", "", "told the same fact."},
		{"CHECKOUT PENDING", "observations.v1.live.clip.acme.payment.pending", "it happened at 2025-01-31 12:03:00 UTC, and the payment was PAID as of 2025-01-31 12:05:00 UTC."},
	} {
		s := x.GetSteps()[i]
		if s.GetDelivery().GetName() != names[i] || !s.GetDelivery().GetKept() || s.GetDelivery().GetVerification().GetKeyId() != "acme-1" ||
			s.GetMapping().GetProviderStatus() != want.row || s.GetSubject() != want.subject || !strings.Contains(s.GetEffect(), want.effect) {
			t.Errorf("step %d is %v\nwant %+v", i, s, want)
		}
		if !strings.Contains(x.GetText(), s.GetEffect()) {
			t.Errorf("the text leaves out: %s", s.GetEffect())
		}
	}
	p.mapping.knows.Store(true)
	if _, err := p.deliveries().ReprocessDelivery(ctx(t), &normalizerv1.ReprocessDeliveryRequest{Name: names[1]}); err != nil {
		t.Fatal(err)
	}
	x = p.explain(x.GetPayment().GetName())
	if last := x.GetSteps()[len(x.GetSteps())-1]; len(x.GetSteps()) != 6 || last.GetDelivery().GetName() != names[1] || last.GetMapping().GetProviderStatus() != "CHECKOUT EXPIRED" {
		t.Errorf("after the release: %v", x.GetSteps())
	}
	p.sealer.lost.Store(true)
	if s := p.explain(x.GetPayment().GetName()).GetSteps()[0]; !s.GetDelivery().GetErased() || s.GetMapping() != nil || s.GetEvent() == nil {
		t.Errorf("after its content was erased: %v", s)
	}
}

func TestABatchCanTellOfAPaymentTwice(t *testing.T) {
	p := newPipeline(t)
	name := p.send("singleview", `{"service":"svWebHookPaymentStatus","companyCode":"SV1","payments":[`+
		`{"payId":"a","status":2},{"payId":"b","status":0},{"payId":"a","status":0}]}`)[0]
	x := p.explain(p.paymentOf(name))
	if s := x.GetSteps(); len(s) != 2 || s[0].GetItem() != 0 || s[1].GetItem() != 2 || s[1].GetMapping().GetProviderStatus() != "status 0 (completed)" {
		t.Errorf("steps are %v", s)
	}
}

func TestAnUnknownPaymentHasNoStory(t *testing.T) {
	p := newPipeline(t)
	_, err := normalizerv1.NewPaymentServiceClient(p.conn).ExplainPayment(ctx(t), &normalizerv1.ExplainPaymentRequest{Name: "payments/p1"})
	if got := failureOf(err); got.Code != codes.NotFound || got.Reason != "NOT_FOUND" {
		t.Errorf("got %+v", got)
	}
}
