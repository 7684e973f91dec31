package normalize_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// echo is an adapter that returns what it was made with.
type echo struct{ result func() provider.Result }

func (echo) Describe() provider.Descriptor { return provider.Descriptor{ID: "echo", MappingVersion: 3} }

func (echo) Verify(provider.Delivery, provider.Keys) (provider.Verified, error) {
	return provider.Verified{}, provider.ErrNotAuthentic
}

func (e echo) Normalize(provider.Delivery, []byte) provider.Result { return e.result() }

func fact(account string) provider.Item {
	return provider.Item{Fact: &provider.Fact{
		Event: &eventv1.PaymentStatusChanged{
			Kind: eventv1.Kind_KIND_PAYMENT, Direction: eventv1.Direction_DIRECTION_INBOUND, ProviderPaymentId: "p", ProviderAccountId: account,
			Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		},
		Key: []string{"p", "PAID"}, Payment: []string{"p"},
	}}
}

func items(expect []string, result func() provider.Result) []normalize.Item {
	d := &ledgerv1.Delivery{
		Provider: "echo", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Body: []byte("body"),
		ReceiveTime: timestamppb.New(time.Unix(1_700_000_000, 0)), ExpectAccounts: expect,
	}
	found, _ := normalize.New([]provider.Adapter{echo{result}}).Items(d, normalize.Place{Sequence: 7, Index: 2})
	return found
}

// Names are for ever: a change here would give every stored event a second one.
func TestNamesStayWhatTheyAre(t *testing.T) {
	e := items(nil, func() provider.Result { return provider.Result{Items: []provider.Item{fact("")}} })[0].Event
	if want := "events/e9nfcv7anue0iri3pj1n7lkoahlpharre"; e.GetName() != want {
		t.Errorf("event name %s, want %s", e.GetName(), want)
	}
	if want := "payments/p4cs38q0hqev4bpifkj0kjomgm8edk90m"; e.GetPayment() != want {
		t.Errorf("payment name %s, want %s", e.GetPayment(), want)
	}
	if want := "deliveries/d7-2"; e.GetDelivery() != want {
		t.Errorf("delivery name %s, want %s", e.GetDelivery(), want)
	}
	if diff := cmp.Diff(&eventv1.LedgerPosition{Sequence: 7, Delivery: 2}, e.GetLedgerPosition(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestEventNameDependsOnProviderMerchantModeAndEachPartOfTheKey(t *testing.T) {
	live, test := eventv1.Mode_MODE_LIVE, eventv1.Mode_MODE_TEST
	seen := map[string]bool{}
	for _, c := range []struct {
		provider, merchant string
		mode               eventv1.Mode
		key                []string
	}{
		{"clip", "acme", live, []string{"a", "b"}}, {"clip", "acme", test, []string{"a", "b"}}, {"clip", "globex", live, []string{"a", "b"}},
		{"incode", "acme", live, []string{"a", "b"}}, {"clip", "acme", live, []string{"ab", ""}}, {"clip", "acme", live, []string{"a", "b", ""}},
		{"clipa", "cme", live, []string{"a", "b"}},
	} {
		name := normalize.EventName(&eventv1.PaymentStatusChanged{Provider: c.provider, Merchant: c.merchant, Mode: c.mode}, c.key)
		if seen[name] {
			t.Errorf("%v has the name of another fact", c)
		}
		seen[name] = true
	}
}

func TestAccountThatIsNotExpectedIsQuarantined(t *testing.T) {
	for account, want := range map[string]bool{"ours": false, "theirs": true, "": true} {
		it := items([]string{"ours", "also ours"}, func() provider.Result { return provider.Result{Items: []provider.Item{fact(account)}} })[0]
		if got := it.Notice.GetReason() == eventv1.QuarantineReason_QUARANTINE_REASON_ACCOUNT_MISMATCH; got != want {
			t.Errorf("account %q: quarantined %v, want %v", account, got, want)
		}
	}
}

func TestFaultInAnAdapterQuarantinesTheDelivery(t *testing.T) {
	found := items(nil, func() provider.Result { panic("bug") })
	if len(found) != 1 || found[0].Notice == nil || found[0].Notice.GetName() != "quarantined/q7-2-0" {
		t.Errorf("got %v, want one notice", found)
	}
}

func TestDeliveryOfAProviderThatIsGoneIsQuarantined(t *testing.T) {
	found, _ := normalize.New(nil).Items(&ledgerv1.Delivery{Provider: "gone"}, normalize.Place{Sequence: 1})
	if len(found) != 1 || found[0].Notice.GetReason() != eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED {
		t.Errorf("got %v, want one unmapped notice", found)
	}
}

func TestEventWithoutAProviderTimeHasTheTimeOfReceipt(t *testing.T) {
	e := items(nil, func() provider.Result { return provider.Result{Items: []provider.Item{fact("")}} })[0].Event
	if e.GetOccurTimeSource() != eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_RECEIVED || !e.GetOccurTime().AsTime().Equal(e.GetReceiveTime().AsTime()) {
		t.Errorf("occur_time %v (%v), received %v", e.GetOccurTime().AsTime(), e.GetOccurTimeSource(), e.GetReceiveTime().AsTime())
	}
}
