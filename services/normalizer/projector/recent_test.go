package projector

import (
	"fmt"
	"testing"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// numbered returns states of the payments numbered from from to before to.
func numbered(from, to int) map[string]*ledgerv1.PaymentState {
	states := map[string]*ledgerv1.PaymentState{}
	for i := from; i < to; i++ {
		states[fmt.Sprintf("payments/p%d", i)] = &ledgerv1.PaymentState{Version: int64(i)}
	}
	return states
}

func (r *recent) count() int { return len(r.young) + len(r.old) }

func TestThePaymentsOfLateAreRemembered(t *testing.T) {
	var r recent
	if r.state("payments/p0") != nil {
		t.Error("a payment is remembered that was never there")
	}
	const all = 4 * remembered
	for i := range all {
		r.remember(numbered(i, i+1))
	}
	for i := range all {
		got := r.state(fmt.Sprintf("payments/p%d", i))
		if young := i >= all-remembered; young && got.GetVersion() != int64(i) {
			t.Errorf("payment %d of %d is not remembered", i, all)
		}
		if i < all-2*remembered && got != nil {
			t.Errorf("payment %d of %d is still remembered", i, all)
		}
	}
	r.forget()
	if r.count() != 0 {
		t.Error("payments are remembered that were to be forgotten")
	}
}

func TestAPaymentIsRememberedAsItIsNow(t *testing.T) {
	var r recent
	r.remember(numbered(0, remembered))              // old, as soon as another one comes
	r.remember(numbered(remembered, remembered+100)) // young
	for _, name := range []string{"payments/p0", fmt.Sprintf("payments/p%d", remembered)} {
		now := &ledgerv1.PaymentState{Version: -1}
		r.remember(map[string]*ledgerv1.PaymentState{name: now})
		if r.state(name) != now {
			t.Errorf("%s has the state that it had before", name)
		}
		for i := range int64(manyOperations) {
			now.Machines = map[string]*ledgerv1.MachineState{"payment": {}}
			now.RefundedByOperation = map[string]int64{}
			for j := range i {
				now.RefundedByOperation[fmt.Sprint(j)] = 1
			}
			r.remember(map[string]*ledgerv1.PaymentState{name: now})
			if large := i+1 >= manyOperations; (r.state(name) == nil) != large {
				t.Errorf("%s with a machine and %d refunds: remembered is %v, want %v", name, i, r.state(name) != nil, !large)
			}
		}
	}
}

func TestFewPaymentsAreRememberedWhateverComesAtOnce(t *testing.T) {
	var r recent
	for _, n := range []int{remembered - 1, 3 * remembered, 1, 5 * remembered} {
		r.remember(numbered(0, n))
		if r.count() > 2*remembered {
			t.Fatalf("%d payments are remembered after %d at once, at most %d", r.count(), n, 2*remembered)
		}
	}
}
