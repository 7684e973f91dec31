// Package payment is the life cycle of a payment, as pure functions: Decide
// judges a new fact against what is known, Advance folds a published event into
// what is known. State can therefore always be rebuilt from the events alone.
package payment

import (
	"cmp"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// Decide fills in what the history of the payment says about e: the previous
// status, disposition, payment_version, final, unexpected_transition and the
// cumulative amounts. ifPaid replaces e's status when the payment was PAID or
// SETTLED, or has that status by now (unspecified: never). state is not changed;
// the zero state knows nothing.
func Decide(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged, ifPaid eventv1.PaymentStatus) {
	rules := machines[e.GetKind()]
	last := state.GetMachines()[machineKey(e)].GetLast()
	now := statusOf(last)

	if ifPaid != 0 && (now == paid || now == settled || now == status(ifPaid)) {
		setPaymentStatus(e, ifPaid)
	}
	if last != nil {
		setPrevious(e, now)
	}
	if leavesPaymentAsItWas(last, e) {
		setPaymentStatus(e, last.GetPaymentStatus())
		e.Final, e.ActionBy = last.GetFinal(), last.GetActionBy()
		e.Disposition = eventv1.Disposition_DISPOSITION_NO_CHANGE
		return
	}

	e.Final = isFinal(e)
	saidPaid, saidRefunded := e.GetAmountPaid(), e.GetAmountRefunded()
	newMoney := accumulate(state, e)
	e.Disposition, e.UnexpectedTransition = judge(rules, last, e, newMoney)
	if e.GetDisposition() == eventv1.Disposition_DISPOSITION_APPLIED {
		e.PaymentVersion = state.GetVersion() + 1
		return
	}
	e.AmountPaid, e.AmountRefunded = saidPaid, saidRefunded // what was not applied is in no sum
}

// isFinal reports whether e's status is one after which nothing is expected.
func isFinal(e *eventv1.PaymentStatusChanged) bool {
	return slices.Contains(machines[e.GetKind()].final, statusOf(e)) || finallyFailed(e)
}

// finallyFailed reports whether e's provider says that a payment has failed for
// good. A capture or void that failed says nothing of the kind.
func finallyFailed(e *eventv1.PaymentStatusChanged) bool {
	return e.GetKind() == eventv1.Kind_KIND_PAYMENT && statusOf(e) == failed && e.GetFinal() && !ofOperation(e)
}

// judge returns the disposition of e after last, and whether the move is unexpected.
func judge(rules machine, last, e *eventv1.PaymentStatusChanged, newMoney bool) (eventv1.Disposition, bool) {
	if last == nil {
		return eventv1.Disposition_DISPOSITION_APPLIED, false
	}
	now, next := statusOf(last), statusOf(e)
	up := rules.rank[next] > rules.rank[now]
	if now == next && newMoney {
		return eventv1.Disposition_DISPOSITION_APPLIED, false // a sum does not depend on the order of its parts
	}
	outranksClocks := up && slices.Contains(rules.money, next)
	if older(rules, last, e) && !outranksClocks {
		return eventv1.Disposition_DISPOSITION_STALE, false
	}
	switch {
	case now == next && sameAmounts(last, e):
		return eventv1.Disposition_DISPOSITION_NO_CHANGE, false
	case now == next, expected(rules, last, next):
		return eventv1.Disposition_DISPOSITION_APPLIED, false
	case up:
		return eventv1.Disposition_DISPOSITION_APPLIED, true
	}
	return eventv1.Disposition_DISPOSITION_ANOMALY, true
}

// older reports whether e happened before last: by the provider's time, or by
// rank where a time is missing or both are equal.
func older(rules machine, last, e *eventv1.PaymentStatusChanged) bool {
	if stated(last) && stated(e) {
		if c := last.GetOccurTime().AsTime().Compare(e.GetOccurTime().AsTime()); c != 0 {
			return c > 0
		}
	}
	return cmp.Less(rules.rank[statusOf(e)], rules.rank[statusOf(last)])
}

func stated(e *eventv1.PaymentStatusChanged) bool {
	return e.GetOccurTimeSource() == eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
}

func expected(rules machine, last *eventv1.PaymentStatusChanged, next status) bool {
	now := statusOf(last)
	if last.GetKind() == eventv1.Kind_KIND_PAYMENT && now == failed && last.GetFinal() {
		return false
	}
	return slices.Contains(rules.moves[now], next)
}

// leavesPaymentAsItWas reports whether e is an attempt to capture or void a
// payment that is known already, and did not succeed.
func leavesPaymentAsItWas(last, e *eventv1.PaymentStatusChanged) bool {
	return last != nil && leaves(statusOf(last), e)
}

// leaves reports whether e leaves a payment as it is: a capture or void that failed, or
// whose outcome is open, unless that says more than is known of a payment that is open itself.
func leaves(now status, e *eventv1.PaymentStatusChanged) bool {
	if e.GetKind() != eventv1.Kind_KIND_PAYMENT || !ofOperation(e) {
		return false
	}
	rank := machines[e.GetKind()].rank
	switch e.GetOperationOutcome() {
	case eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED:
		return true
	case eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING:
		return rank[statusOf(e)] <= rank[now]
	}
	return false
}

// Advance folds e into state. Events that changed nothing leave it as it is.
func Advance(state *ledgerv1.PaymentState, e *eventv1.PaymentStatusChanged) {
	switch e.GetDisposition() {
	case eventv1.Disposition_DISPOSITION_APPLIED, eventv1.Disposition_DISPOSITION_CORRECTION:
	default:
		return
	}
	state.Version = e.GetPaymentVersion()
	key := machineKey(e)
	last := state.GetMachines()[key].GetLast()
	if e.GetDisposition() == eventv1.Disposition_DISPOSITION_CORRECTION {
		uncount(state, last, e) // a correction supersedes the last event of its machine
	}
	countOperation(state, e)
	if state.Machines == nil {
		state.Machines = map[string]*ledgerv1.MachineState{}
	}
	state.Machines[key] = &ledgerv1.MachineState{Last: keepAmounts(last, e)}
}

// First reports whether e is the first event that advanced its payment.
func First(e *eventv1.PaymentStatusChanged) bool {
	return e.GetDisposition() == eventv1.Disposition_DISPOSITION_APPLIED && e.GetPaymentVersion() == 1
}

// machineKey names the state machine that e belongs to within its payment.
// Each refund has its own; a payment has one dispute.
func machineKey(e *eventv1.PaymentStatusChanged) string {
	switch e.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		return "refund/" + cmp.Or(e.GetProviderOperationId(), e.GetProviderAttemptId())
	case eventv1.Kind_KIND_DISPUTE:
		return "dispute"
	case eventv1.Kind_KIND_PROOF:
		return "proof"
	}
	return "payment"
}
