package payment

import (
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Correct is Decide for an event that says what superseded, which was published,
// should have said. It sets supersedes too.
//
// Where superseded is the last event that was applied to its state machine, e
// takes its place: its disposition is CORRECTION. Amounts that e leaves out stay
// as they were known. Where superseded was overtaken, or changed nothing itself,
// e is judged like any late fact, so that nobody is led backwards; of a sum, it
// then replaces its own operation's part only.
func Correct(state *ledgerv1.PaymentState, e, superseded *eventv1.PaymentStatusChanged, ifPaid eventv1.PaymentStatus) {
	e.Supersedes = superseded.GetName()
	key := machineKey(e)
	last := state.GetMachines()[key].GetLast()
	if e.GetPayment() != superseded.GetPayment() || key != machineKey(superseded) || last.GetName() != superseded.GetName() {
		Decide(state, e, ifPaid)
		if e.GetDisposition() == eventv1.Disposition_DISPOSITION_APPLIED && takes(superseded) && e.GetProviderOperationId() != superseded.GetProviderOperationId() {
			// The sum has the operation of superseded already, and nothing can take it out.
			e.Disposition, e.PaymentVersion, e.UnexpectedTransition = eventv1.Disposition_DISPOSITION_ANOMALY, 0, true
			e.AmountPaid, e.AmountRefunded = nil, nil
		}
		return
	}
	before := previousOf(superseded)
	// A correction that is corrected followed the event that it corrected, which shows by its status what came before.
	if ifPaid != 0 && (before == paid || before == settled || statusOf(superseded) == status(ifPaid)) {
		setPaymentStatus(e, ifPaid)
	}
	if before != 0 && leaves(before, e) {
		setPaymentStatus(e, eventv1.PaymentStatus(before)) // superseded should not have moved the payment
	}
	setPrevious(e, statusOf(superseded))
	e.Final = isFinal(e)
	rest := &ledgerv1.PaymentState{
		Machines: state.GetMachines(), PaidByOperation: state.GetPaidByOperation(), RefundedByOperation: state.GetRefundedByOperation(),
		CurrencyByOperation: state.GetCurrencyByOperation(),
	}
	uncount(rest, superseded, e)
	accumulate(rest, e)
	sumWithout(rest, superseded, e)
	e.Disposition = eventv1.Disposition_DISPOSITION_CORRECTION
	e.PaymentVersion = state.GetVersion() + 1
}

// filledIn are the fields of an event that do not come from what the provider says.
func filledIn(field protoreflect.Name) bool {
	switch field {
	case "name", "cursor", "disposition", "payment_version", "supersedes", "unexpected_transition",
		"previous_payment_status", "previous_refund_status", "previous_dispute_status", "previous_proof_status",
		"receive_time", "commit_time", "verification", "delivery", "raw_sha256", "mapping_version", "ledger_position":
		return true
	}
	return false
}

// left reports whether published has the status that its payment had, in place of that
// of an operation which did not succeed.
func left(published *eventv1.PaymentStatusChanged) bool {
	switch published.GetDisposition() {
	case eventv1.Disposition_DISPOSITION_NO_CHANGE, eventv1.Disposition_DISPOSITION_CORRECTION:
		return leavesPaymentAsItWas(published, published)
	}
	return false
}

// Differences returns the names of the fields in which fact, an event as the
// adapter of today makes it, says something else than published, which Decide
// or Correct has completed. ifPaid is that of fact.
func Differences(published, fact *eventv1.PaymentStatusChanged, ifPaid eventv1.PaymentStatus) (fields []string) {
	now := proto.CloneOf(fact)
	switch {
	case ifPaid != 0 && published.GetPaymentStatus() == ifPaid:
		setPaymentStatus(now, ifPaid)
		now.Final = published.GetFinal()
	case left(published) && leavesPaymentAsItWas(published, now):
		now.Status, now.Final, now.ActionBy = published.GetStatus(), published.GetFinal(), published.GetActionBy()
	default:
		now.Final = isFinal(now)
	}
	corrected := published.GetDisposition() == eventv1.Disposition_DISPOSITION_CORRECTION // it may have what was left of a sum
	if now.AmountPaid == nil && (takes(published) || corrected) {
		now.AmountPaid = published.GetAmountPaid()
	}
	if now.AmountRefunded == nil && (takes(published) || published.GetKind() == eventv1.Kind_KIND_REFUND) {
		now.AmountRefunded = published.GetAmountRefunded()
	}
	a, b := published.ProtoReflect(), now.ProtoReflect()
	all := a.Descriptor().Fields()
	for i := range all.Len() {
		f := all.Get(i)
		if !filledIn(f.Name()) && (a.Has(f) != b.Has(f) || !a.Get(f).Equal(b.Get(f))) {
			fields = append(fields, string(f.Name()))
		}
	}
	return fields
}
