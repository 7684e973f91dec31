package singleview

import (
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Where SingleView documents its webhooks and its codes.
const (
	webhookPage = "https://docs.onesingleview.com/v1.0.4/docs/erp-integration-api-webhook-payment-enquiry"
	codesPage   = "https://docs.onesingleview.com/v1.0.4/docs/erp-integration-api-types-statuses"
)

// The services whose batches hold payments. A charge repeats the payment's status.
const (
	statusService = "svWebHookPaymentStatus"
	chargeService = "svWebHookPaymentCharge"
)

const notAPayment = "not_a_payment"

// skips lists the services that are documented and tell of payrolls, which are
// no payments of their own.
func skips() []*provider.Mapping {
	return []*provider.Mapping{
		{ProviderStatus: "svWebHookPayrollApprovalStatus", Outcome: "skipped", Reason: notAPayment, Source: codesPage},
		{ProviderStatus: "svWebHookPayrollPaymentStatus", Outcome: "skipped", Reason: notAPayment, Source: codesPage},
	}
}

// rejected is the approval code that ends a payment.
const rejected = "4"

// row is one line of the mapping table.
type row struct {
	status, word  string
	approval      string                // the approval code that the row is for; "" is any other
	payment       eventv1.PaymentStatus // unspecified: quarantined as a contradiction
	actionBy      eventv1.ActionBy
	reason        string
	outcome       eventv1.OperationOutcome
	final         bool
	contradiction bool
	source        string
	shown         *provider.Mapping // the row as people see it
}

// table is the mapping table; the first row that fits decides. It is not changed once it is made. Codes stand for
// themselves: 0 is completed, so a missing code must never read as 0.
type table []row

func newTable() table {
	t := table{
		{status: "0", word: "completed", approval: rejected, reason: "contradiction", contradiction: true, source: "synthetic"},
		{status: "0", word: "completed", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PAID,
			outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED, source: codesPage},
		{status: "1", word: "failed", payment: eventv1.PaymentStatus_PAYMENT_STATUS_FAILED, final: true,
			outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED, source: codesPage},
		{status: "2", word: "bank process", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PROCESSING,
			outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING, source: codesPage},
		{status: "3", word: "on hold", approval: rejected, payment: eventv1.PaymentStatus_PAYMENT_STATUS_FAILED, final: true,
			reason: "approval_rejected", outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED, source: codesPage},
		{status: "3", word: "on hold", payment: eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION,
			actionBy: eventv1.ActionBy_ACTION_BY_MERCHANT, reason: "on_hold",
			outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING, source: codesPage},
		{status: "4", word: "open", approval: rejected, payment: eventv1.PaymentStatus_PAYMENT_STATUS_FAILED, final: true,
			reason: "approval_rejected", outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED, source: codesPage},
		{status: "4", word: "open", payment: eventv1.PaymentStatus_PAYMENT_STATUS_PENDING,
			outcome: eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING, source: codesPage},
	}
	for i := range t {
		t[i].shown = t[i].mapping()
	}
	return t
}

func (t table) find(status, approval string) (row, bool) {
	i := slices.IndexFunc(t, func(r row) bool {
		return r.status == status && (r.approval == "" || r.approval == approval)
	})
	if i < 0 {
		return row{}, false
	}
	return t[i], true
}

// knownApproval says whether the code is documented, or absent. An approval
// code that we do not know could be another rejection.
func knownApproval(code string) bool {
	return slices.Contains([]string{"", "0", "1", "2", "3", rejected}, code)
}

// event returns what the row says.
func (r row) event() *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind:             eventv1.Kind_KIND_PAYMENT,
		Direction:        eventv1.Direction_DIRECTION_OUTBOUND,
		Status:           &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: r.payment},
		Final:            r.final,
		ActionBy:         r.actionBy,
		Operation:        eventv1.Operation_OPERATION_PAYOUT,
		OperationOutcome: r.outcome,
	}
	if r.reason != "" {
		e.Reason = &eventv1.Reason{Code: r.reason}
	}
	return e
}

// mapping shows the row to people.
func (r row) mapping() *provider.Mapping {
	m := &provider.Mapping{ProviderStatus: "status " + r.status + " (" + r.word + ")", Outcome: r.payment.String(), Reason: r.reason, Source: r.source}
	if r.approval != "" {
		m.ProviderStatus += ", approval_status " + r.approval + " (rejected)"
	}
	if r.contradiction {
		m.Outcome = "quarantined"
	}
	return m
}

// mappings is the table for people.
func (a Adapter) mappings() []provider.Mapping {
	var all []provider.Mapping
	for _, r := range a.table {
		all = append(all, *r.shown)
	}
	for _, s := range a.skips {
		all = append(all, *s)
	}
	return all
}
