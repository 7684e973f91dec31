package rpc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

const released = normalizerv1.ReprocessChange_REPROCESS_CHANGE_RELEASED

// reprocess reprocesses a delivery of one item, or only asks what that would change.
func (p *pipeline) reprocess(name string, dry bool) *normalizerv1.ReprocessDeliveryResponse {
	p.t.Helper()
	r, err := p.deliveries().ReprocessDelivery(ctx(p.t), &normalizerv1.ReprocessDeliveryRequest{Name: name, ValidateOnly: dry})
	if err != nil || len(r.GetItems()) != 1 {
		p.t.Fatalf("ReprocessDelivery = %v, %v", r, err)
	}
	return r
}

func TestAQuarantinedDeliveryIsReleasedOnce(t *testing.T) {
	p := newPipeline(t)
	name := p.send("clip", clip("EXPIRED", "expired_at", 1))[0]
	if r := p.reprocess(name, false); r.GetLedgerSequence() != 0 || r.GetItems()[0].GetChange() != normalizerv1.ReprocessChange_REPROCESS_CHANGE_NONE || r.GetItems()[0].GetQuarantined() == nil {
		t.Errorf("with the same mapping: %v", r)
	}
	p.mapping.knows.Store(true)
	if r := p.reprocess(name, true); r.GetLedgerSequence() != 0 || r.GetItems()[0].GetChange() != released || r.GetItems()[0].GetAfter().GetCursor() != 0 {
		t.Errorf("only asked: %v", r)
	}
	if got := said(p.get(name, basic)); got != "UNMAPPED" {
		t.Errorf("after it was only asked, the outcome is %s", got)
	}
	r := p.reprocess(name, false)
	after := r.GetItems()[0].GetAfter()
	if r.GetLedgerSequence() != 2 || r.GetItems()[0].GetChange() != released || after.GetCursor() == 0 || after.GetPaymentVersion() != 1 || after.GetDelivery() != name {
		t.Errorf("released: %v", r)
	}
	if got := p.get(name, basic); said(got) != "UNMAPPED released" || got.GetOutcomes()[0].GetReleasedAs() != after.GetName() {
		t.Errorf("after it the delivery is %v", got)
	}
	if r := p.reprocess(name, false); r.GetLedgerSequence() != 0 || r.GetItems()[0].GetChange() != normalizerv1.ReprocessChange_REPROCESS_CHANGE_NONE {
		t.Errorf("again: %v", r)
	}
}

func TestManyDeliveriesAreReprocessedFromTheOldestOn(t *testing.T) {
	p := newPipeline(t)
	p.send("clip", clip("EXPIRED", "expired_at", 1), clip("CREATED", "created_at", 2), clip("EXPIRED", "expired_at", 3), clip("TELEPORTED", "at", 4), clip("EXPIRED", "expired_at", 5))
	p.mapping.knows.Store(true)
	call := func(most int32, dry bool) *normalizerv1.ReprocessDeliveriesResponse {
		t.Helper()
		r, err := p.deliveries().ReprocessDeliveries(ctx(t), &normalizerv1.ReprocessDeliveriesRequest{
			Filter: `quarantine_reason = "UNMAPPED" AND provider = clip`, MaxDeliveries: most, ValidateOnly: dry,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := call(0, true); r.GetDeliveryCount() != 4 || r.GetLedgerSequence() != 0 || r.GetMore() || len(r.GetItems()) != 3 {
		t.Errorf("only asked: %v", r)
	}
	r := call(1, false)
	if r.GetDeliveryCount() != 1 || !r.GetMore() || r.GetLedgerSequence() != 6 || len(r.GetItems()) != 1 || r.GetItems()[0].GetDelivery() != "deliveries/d1-0" {
		t.Errorf("the oldest: %v", r)
	}
	r = call(0, false)
	if r.GetDeliveryCount() != 3 || r.GetMore() || r.GetLedgerSequence() != 7 || len(r.GetItems()) != 2 { // both tell the same fact again
		t.Errorf("the rest: %v", r)
	}
	for _, it := range r.GetItems() {
		if it.GetChange() != released || it.GetAfter().GetCursor() == 0 {
			t.Errorf("item %v", it)
		}
	}
	if _, err := p.deliveries().ReprocessDeliveries(ctx(t), &normalizerv1.ReprocessDeliveriesRequest{}); failureOf(err).Reason != "INVALID_FIELD" {
		t.Errorf("without a filter: %v", err)
	}
}

func TestAnAccountThatIsExpectedTodayReleases(t *testing.T) {
	p := newPipeline(t)
	d := rivals()
	d.Merchant, d.ExpectAccounts = "acme", []string{"another account"}
	at, err := p.ledger.Append(ctx(t), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.project.Await(ctx(t), at.Sequence); err != nil {
		t.Fatal(err)
	}
	const name = "deliveries/d1-0"
	p.expect = []string{"another account"}
	if r := p.reprocess(name, false); r.GetLedgerSequence() != 0 || r.GetItems()[0].GetChange() != normalizerv1.ReprocessChange_REPROCESS_CHANGE_NONE {
		t.Errorf("while the account is not expected: %v", r)
	}
	p.expect = []string{"another account", ""} // Clip names no account
	if r := p.reprocess(name, true); r.GetLedgerSequence() != 0 || r.GetItems()[0].GetChange() != released {
		t.Errorf("only asked: %v", r)
	}
	if r := p.reprocess(name, false); r.GetLedgerSequence() != 2 || r.GetItems()[0].GetAfter().GetCursor() == 0 {
		t.Errorf("released: %v", r)
	}
	if got := said(p.get(name, basic)); got != "ACCOUNT_MISMATCH released" {
		t.Errorf("the outcome is %s", got)
	}
	c, err := p.ledger.Get(ctx(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := &ledgerv1.Reprocess{
		Deliveries: []string{name},
		Accounts:   []*ledgerv1.EndpointAccounts{{Provider: "clip", Merchant: "acme", ExpectAccounts: p.expect}},
	}
	if diff := cmp.Diff(want, c.GetReprocess(), protocmp.Transform()); diff != "" {
		t.Errorf("the command (-want +got):\n%s", diff)
	}
}

func TestACommandSaysWhoGaveIt(t *testing.T) {
	p := newPipeline(t)
	name := p.send("clip", clip("EXPIRED", "expired_at", 1))[0]
	p.mapping.knows.Store(true)
	p.admit(&configv1.Access{Tokens: []*configv1.AccessToken{token("ops", "acme", "events", "reprocess")}})
	r, err := p.deliveries().ReprocessDelivery(as(ctx(t), "ops"), &normalizerv1.ReprocessDeliveryRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.ledger.Get(ctx(t), r.GetLedgerSequence())
	if err != nil || c.GetReprocess().GetRequester() != "token ops" {
		t.Errorf("the command is %v (%v), want one of the token ops", c, err)
	}
}

func TestALedgerThatDoesNotAnswerIsNoRefusedDelivery(t *testing.T) {
	p := newPipeline(t)
	name := p.send("clip", clip("EXPIRED", "expired_at", 1))[0]
	p.nats.Shutdown()
	_, err := p.deliveries().GetDelivery(ctx(t), &normalizerv1.GetDeliveryRequest{Name: name})
	want := failure{Code: codes.Unavailable, Reason: "READ_UNAVAILABLE", Message: "what is stored cannot be read at the moment", Retry: time.Second}
	if diff := cmp.Diff(want, failureOf(err)); diff != "" {
		t.Errorf("GetDelivery (-want +got):\n%s", diff)
	}
}
