package projector

import ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"

const (
	// remembered is from how many payments on those that were not touched for longest
	// are forgotten; with those before there are up to twice as many, mostly of 2 KB.
	remembered = 512
	// manyOperations is from how many refunds, captures and the like on a payment is
	// too large to be remembered.
	manyOperations = 8
)

// recent holds the states of the payments of late as they are in the view: what
// happens to a payment often comes in a row.
type recent struct {
	young, old map[string]*ledgerv1.PaymentState
}

// state returns the state of a payment, nil when it is not remembered. Who
// advances it and cannot bring the view to the same state must forget.
func (r *recent) state(payment string) *ledgerv1.PaymentState {
	if s := r.young[payment]; s != nil {
		return s
	}
	return r.old[payment]
}

func (r *recent) remember(states map[string]*ledgerv1.PaymentState) {
	for payment, s := range states {
		if len(s.GetMachines())+len(s.GetPaidByOperation())+len(s.GetRefundedByOperation()) >= manyOperations {
			delete(r.young, payment)
			delete(r.old, payment)
			continue
		}
		if r.young == nil || len(r.young) >= remembered {
			r.old, r.young = r.young, make(map[string]*ledgerv1.PaymentState, remembered)
		}
		r.young[payment] = s
	}
}

func (r *recent) forget() { *r = recent{} }
