package providertest

import (
	"slices"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkItems checks what holds for the items of every provider.
func checkItems(t testing.TB, r provider.Result) {
	t.Helper()
	for i, it := range r.Items {
		set := 0
		if it.Row == nil && it.Quarantine == nil {
			t.Errorf("item %d: no row of the mapping table decided", i)
		}
		if f := it.Fact; f != nil {
			set++
			checkFact(t, i, f)
		}
		if it.Skip != nil {
			set++
			if it.Skip.Reason == "" {
				t.Errorf("item %d: skipped without a reason", i)
			}
		}
		if q := it.Quarantine; q != nil {
			set++
			if q.Reason == eventv1.QuarantineReason_QUARANTINE_REASON_UNSPECIFIED || q.Detail == "" {
				t.Errorf("item %d: quarantined without a reason or a detail", i)
			}
			if q.Reason == eventv1.QuarantineReason_QUARANTINE_REASON_ACCOUNT_MISMATCH {
				t.Errorf("item %d: the account is for the caller to check", i)
			}
			if slices.Contains(q.Payment, "") || q.Mode == eventv1.Mode_MODE_LIVE {
				t.Errorf("item %d: payment %q has an empty part, or mode %s is set", i, q.Payment, q.Mode)
			}
		}
		if set != 1 {
			t.Errorf("item %d: %d of fact, skip and quarantine are set, want one", i, set)
		}
	}
}

func checkFact(t testing.TB, i int, f *provider.Fact) {
	t.Helper()
	if f.Event == nil {
		t.Fatalf("item %d: a fact without an event", i)
	}
	if (f.IfPaid == 0) != (f.IfPaidRow == nil) {
		t.Errorf("item %d: if_paid %s, and its row %v", i, f.IfPaid, f.IfPaidRow)
	}
	if len(f.Key) == 0 || len(f.Payment) == 0 {
		t.Errorf("item %d: key %q and payment %q must not be empty", i, f.Key, f.Payment)
	}
	for _, part := range f.Payment {
		if part == "" {
			t.Errorf("item %d: payment %q has an empty part: all such payments would be one", i, f.Payment)
		}
	}
	checkCallersFields(t, i, f.Event)
	checkConsistent(t, i, f.Event)
}

// checkCallersFields checks that the adapter leaves alone what is not its own.
func checkCallersFields(t testing.TB, i int, e *eventv1.PaymentStatusChanged) {
	t.Helper()
	m := e.ProtoReflect()
	for _, name := range []protoreflect.Name{
		"name", "provider", "merchant", "payment", "previous_payment_status", "previous_refund_status",
		"previous_dispute_status", "previous_proof_status", "payment_version", "disposition", "supersedes",
		"unexpected_transition", "receive_time", "commit_time", "verification", "delivery", "raw_sha256",
		"mapping_version", "ledger_position", "cursor",
	} {
		if m.Has(m.Descriptor().Fields().ByName(name)) {
			t.Errorf("item %d: %s is set; it is the caller's", i, name)
		}
	}
	if e.GetMode() == eventv1.Mode_MODE_LIVE {
		t.Errorf("item %d: mode LIVE is set; a payload can only say test", i)
	}
	if e.GetOccurTimeSource() == eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_RECEIVED {
		t.Errorf("item %d: occur_time_source RECEIVED is the caller's", i)
	}
}

// checkConsistent checks that the members of an event agree with each other.
func checkConsistent(t testing.TB, i int, e *eventv1.PaymentStatusChanged) {
	t.Helper()
	statusOf := map[eventv1.Kind]bool{
		eventv1.Kind_KIND_PAYMENT: e.GetPaymentStatus() != 0,
		eventv1.Kind_KIND_REFUND:  e.GetRefundStatus() != 0,
		eventv1.Kind_KIND_DISPUTE: e.GetDisputeStatus() != 0,
		eventv1.Kind_KIND_PROOF:   e.GetProofStatus() != 0,
	}
	if !statusOf[e.GetKind()] {
		t.Errorf("item %d: kind %s has no status of its kind", i, e.GetKind())
	}
	acts := e.GetPaymentStatus() == eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION
	if acts != (e.GetActionBy() != 0) {
		t.Errorf("item %d: action_by %s with status %s", i, e.GetActionBy(), e.GetPaymentStatus())
	}
	money := e.Amount != nil || e.AmountPaid != nil || e.AmountRefunded != nil || e.Fee != nil || e.PresentationAmount != nil
	if money != (e.GetCurrencySource() != 0) {
		t.Errorf("item %d: currency_source %s, amounts present: %v", i, e.GetCurrencySource(), money)
	}
	timed := e.GetOccurTime() != nil
	if timed != (e.GetOccurTimeSource() != 0) || timed != (e.GetOccurTimeMember() != "") {
		t.Errorf("item %d: occur_time, its source %s and its member %q must come together", i, e.GetOccurTimeSource(), e.GetOccurTimeMember())
	}
	if (e.GetOperation() != 0) != (e.GetOperationOutcome() != 0) {
		t.Errorf("item %d: operation %s with outcome %s", i, e.GetOperation(), e.GetOperationOutcome())
	}
	if e.GetFinal() && e.GetPaymentStatus() != eventv1.PaymentStatus_PAYMENT_STATUS_FAILED {
		t.Errorf("item %d: final is the adapter's for FAILED only", i)
	}
}
