package normalize_test

import (
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

func one(item provider.Item) func() provider.Result {
	return func() provider.Result { return provider.Result{Items: []provider.Item{item}} }
}

func TestRowIsThatOfWhatWasPublished(t *testing.T) {
	paid, reversed := &provider.Mapping{ProviderStatus: "paid"}, &provider.Mapping{ProviderStatus: "paid before"}
	it := fact("")
	it.Row, it.Fact.IfPaid, it.Fact.IfPaidRow = paid, eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED, reversed
	got := items(nil, one(it))[0]
	if got.Row(got.Event) != paid || got.Row(nil) != paid {
		t.Errorf("row %v, want that of the item", got.Row(got.Event))
	}
	published := &eventv1.PaymentStatusChanged{Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED}}
	if got.Row(published) != reversed {
		t.Errorf("row %v, want that of a payment that was paid before", got.Row(published))
	}
	if kept := items([]string{"ours"}, one(it))[0]; kept.Notice == nil || kept.Row(nil) != nil {
		t.Errorf("row %v decided about an account that is not expected", kept.Row(nil))
	}
	if skip := items(nil, one(provider.Item{Skip: &provider.Skip{Reason: "not_a_payment"}, Row: paid}))[0]; skip.Row(nil) != paid {
		t.Error("a skip has lost its row")
	}
}

func TestNoticeNamesThePaymentAsEventsDo(t *testing.T) {
	const unmapped = eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED
	live := items(nil, one(fact("theirs")))[0].Event.GetPayment()
	testFact := fact("theirs")
	testFact.Fact.Event.Mode = eventv1.Mode_MODE_TEST
	inTest := items(nil, one(testFact))[0].Event.GetPayment()
	testItem := provider.Quarantined(unmapped, "status", "p")
	testItem.Quarantine.Mode = eventv1.Mode_MODE_TEST
	tests := []struct {
		claim  string
		expect []string
		item   provider.Item
		want   string
	}{
		{"of the endpoint's mode", nil, provider.Quarantined(unmapped, "status", "p"), live},
		{"of the payload's mode", nil, testItem, inTest},
		{"of an account that is not expected", []string{"ours"}, fact("theirs"), live},
		{"of an account that is not expected, in the payload's mode", []string{"ours"}, testFact, inTest},
		{"that cannot be read", nil, provider.Quarantined(unmapped, "status", ""), ""},
		{"that nobody looked for", nil, provider.Quarantined(unmapped, "status"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			var got *eventv1.QuarantineNotice
			for _, it := range items(tt.expect, one(tt.item)) {
				got = it.Notice
			}
			if got == nil || got.GetPayment() != tt.want || got.GetMode() != eventv1.Mode_MODE_LIVE {
				t.Errorf("got %v, want payment %q", got, tt.want)
			}
		})
	}
	if live == inTest {
		t.Error("a payment of the test mode has the name of a live one")
	}
}
