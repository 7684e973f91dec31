package projector

import (
	"fmt"
	"testing"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

func TestRecent(t *testing.T) {
	var r recent
	if r.state("payments/p0") != nil {
		t.Error("a payment is remembered that was never there")
	}
	states := make([]*ledgerv1.PaymentState, 4*remembered)
	for i := range states {
		states[i] = &ledgerv1.PaymentState{}
		r.remember(map[string]*ledgerv1.PaymentState{fmt.Sprintf("payments/p%d", i): states[i]})
	}
	for i, s := range states {
		got, young := r.state(fmt.Sprintf("payments/p%d", i)), i >= len(states)-remembered
		if young && got != s {
			t.Errorf("payment %d of %d is not remembered", i, len(states))
		}
		if i < len(states)-2*remembered && got != nil {
			t.Errorf("payment %d of %d is still remembered", i, len(states))
		}
	}
	latest := fmt.Sprintf("payments/p%d", len(states)-2*remembered) // of the old ones
	again := &ledgerv1.PaymentState{Version: 2}
	r.remember(map[string]*ledgerv1.PaymentState{latest: again})
	if r.state(latest) != again {
		t.Error("a payment has the state that it had before")
	}
	r.forget()
	if r.state(latest) != nil {
		t.Error("a payment is remembered that was to be forgotten")
	}
}
