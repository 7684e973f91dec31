package rpc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

func (p *pipeline) dry(r *normalizerv1.NormalizeDeliveryRequest) *normalizerv1.NormalizeDeliveryResponse {
	p.t.Helper()
	got, err := normalizerv1.NewNormalizerServiceClient(p.conn).NormalizeDelivery(ctx(p.t), r)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

func inline(providerID, body string) *normalizerv1.NormalizeDeliveryRequest {
	return &normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Delivery{
		Delivery: &normalizerv1.InlineDelivery{Provider: providerID, Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Body: []byte(body)},
	}}
}

func named(name string) *normalizerv1.NormalizeDeliveryRequest {
	return &normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Name{Name: name}}
}

func TestADryRunJudgesByThePaymentAsItIs(t *testing.T) {
	p := newPipeline(t)
	p.send("clip", clip("COMPLETED", "completed_at", 5))
	for _, c := range []struct {
		name, body string
		want       eventv1.Disposition
		repeat     bool
		row        string
	}{
		{"late", clip("CREATED", "created_at", 1), eventv1.Disposition_DISPOSITION_STALE, false, "CHECKOUT CREATED"},
		{"told already", clip("COMPLETED", "completed_at", 5), eventv1.Disposition_DISPOSITION_NO_CHANGE, true, "CHECKOUT COMPLETED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := p.dry(inline("clip", c.body))
			if len(got.GetItems()) != 1 {
				t.Fatalf("got %v", got)
			}
			it := got.GetItems()[0]
			e := it.GetEvent()
			if e.GetDisposition() != c.want || (it.GetRepeatOf() == e.GetName()) != c.repeat || it.GetMapping().GetProviderStatus() != c.row {
				t.Errorf("got %v", it)
			}
			if e.GetCursor() != 0 || e.GetDelivery() != "" || e.GetLedgerPosition() != nil || e.GetCommitTime() != nil || e.GetReceiveTime() == nil {
				t.Errorf("event %v", e)
			}
		})
	}
	if after, err := normalizerv1.NewEventServiceClient(p.conn).ListEvents(ctx(t), &normalizerv1.ListEventsRequest{}); err != nil || len(after.GetEvents()) != 1 {
		t.Errorf("a dry run left %v, %v", after, err)
	}
}

func TestItemsOfADryRunBuildOnEachOther(t *testing.T) {
	p := newPipeline(t)
	got := p.dry(inline("singleview", `{"service":"svWebHookPaymentStatus","companyCode":"SV1","odd":1,"payments":[`+
		`{"payId":"a","status":2},{"payId":"a","status":0},{"payId":"a","status":0},{"payId":"b"}]}`))
	items := got.GetItems()
	if len(items) != 4 || len(got.GetSchemaDrifts()) == 0 {
		t.Fatalf("got %v", got)
	}
	if items[0].GetEvent().GetPaymentVersion() != 1 || items[1].GetEvent().GetPaymentVersion() != 2 || items[1].GetRepeatOf() != "" {
		t.Errorf("the first two are %v and %v", items[0], items[1])
	}
	if items[2].GetRepeatOf() != items[1].GetEvent().GetName() {
		t.Errorf("the repeat is %v", items[2])
	}
	if q := items[3].GetQuarantined(); q.GetReason() != eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED || q.GetName() != "" || q.GetDelivery() != "" {
		t.Errorf("the last is %v", items[3])
	}
}

func TestAStoredDeliveryIsNormalizedAgain(t *testing.T) {
	p := newPipeline(t)
	names := p.send("clip", clip("EXPIRED", "expired_at", 1), clip("CREATED", "created_at", 1))
	names = append(names, p.send("qitech", `{"webhook_type":"baas.bill_payment.payment"}`)...)
	p.mapping.knows.Store(true)
	if it := p.dry(named(names[0])).GetItems()[0]; it.GetEvent().GetDelivery() != names[0] || it.GetRepeatOf() != "" {
		t.Errorf("what would be released: %v", it)
	}
	if it := p.dry(named(names[1])).GetItems()[0]; it.GetRepeatOf() != it.GetEvent().GetName() {
		t.Errorf("what is published: %v", it)
	}
	if it := p.dry(named(names[2])).GetItems()[0]; it.GetSkipped() != "not_a_payment" || it.GetMapping().GetOutcome() != "skipped" {
		t.Errorf("what is skipped: %v", it)
	}
}

func TestADryRunRefusesWhatItDoesNotKnow(t *testing.T) {
	p := newPipeline(t)
	notFound := failure{Code: codes.NotFound, Reason: "NOT_FOUND", Message: "not found"}
	for name, c := range map[string]struct {
		request *normalizerv1.NormalizeDeliveryRequest
		want    failure
	}{
		"provider": {inline("acme", "{}"), notFound},
		"delivery": {named("deliveries/d9-9"), notFound},
		"neither":  {&normalizerv1.NormalizeDeliveryRequest{}, invalid("source", "exactly one field is required in oneof")},
	} {
		_, err := normalizerv1.NewNormalizerServiceClient(p.conn).NormalizeDelivery(ctx(t), c.request)
		if diff := cmp.Diff(c.want, failureOf(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
