package aciopp_test

import (
	"fmt"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/aciopp"
)

// said is an operation's outcome in short: status, reason, and what else the code decides.
type said struct {
	status, reason string
	test, final    bool
}

const (
	paid        = "PAYMENT_STATUS_PAID"
	waiting     = "PAYMENT_STATUS_PENDING"
	toReview    = "PAYMENT_STATUS_REQUIRES_ACTION"
	open        = "PAYMENT_STATUS_PROCESSING"
	canceled    = "PAYMENT_STATUS_CANCELED"
	failed      = "PAYMENT_STATUS_FAILED"
	quarantined = "QUARANTINE_REASON_UNMAPPED"
)

// normalize runs a notification of the payment type, brand and code through the adapter.
func normalize(t *testing.T, paymentType, brand, code string) provider.Item {
	t.Helper()
	body := fmt.Sprintf(`{"type":"PAYMENT","payload":{"id":"op","referencedId":"ref","paymentType":%q,"paymentBrand":%q,"result":{"code":%q}}}`,
		paymentType, brand, code)
	return aciopp.New().Normalize(provider.Delivery{}, []byte(body)).Items[0]
}

// TestResultCodesOfSales covers each alternative of each pattern, and the codes
// at which the patterns overlap or miss.
func TestResultCodesOfSales(t *testing.T) {
	tests := []struct {
		codes []string
		want  said
	}{
		{[]string{"000.000.000", "000.000.100", "000.100.105", "000.300.000", "000.600.000", "000.100.211", "000.100.212"}, said{status: paid}},
		{[]string{"000.100.110", "000.100.111", "000.100.112", "000.100.119"}, said{status: paid, test: true}},
		{[]string{"000.400.110", "000.400.120"}, said{status: waiting, reason: "authenticated"}},
		{[]string{"000.400.000", "000.400.010", "000.400.020", "000.400.040", "000.400.060", "000.400.090", "000.400.100"}, said{status: toReview, reason: "manual_review"}},
		{[]string{"000.200.000", "000.200.100", "800.400.500", "800.400.501", "100.400.500"}, said{status: waiting}},
		{[]string{"000.400.030", "900.100.100", "900.100.300", "900.200.100", "900.300.600", "900.400.100", "100.396.104"}, said{status: open, reason: "outcome_uncertain"}},
		{[]string{"100.396.101"}, said{status: canceled, reason: "canceled_by_payer"}},
		{[]string{"300.100.100"}, said{status: failed, reason: "soft_decline"}},
		{[]string{"000.400.101", "000.400.109", "000.400.111", "000.400.122", "000.400.200", "800.400.200", "100.390.112"}, said{status: failed, reason: "three_d_secure_failed", final: true}},
		{[]string{"800.100.152", "800.700.100", "800.800.102", "800.800.202", "800.800.302"}, said{status: failed, reason: "declined_by_bank", final: true}},
		{[]string{"800.500.100", "800.600.100", "999.999.999", "600.100.100", "800.800.800", "800.800.400"}, said{status: failed, reason: "system_error", final: true}},
		{[]string{"100.395.501", "100.396.102", "100.396.103", "100.396.201", "100.397.101"}, said{status: failed, reason: "not_completed", final: true}},
		{[]string{"100.380.201", "100.380.305", "100.380.101"}, said{status: failed, reason: "risk_management_rejected", final: true}},
		{[]string{"100.400.000", "100.400.100", "100.400.300", "100.400.501", "100.380.100", "100.380.110", "100.380.401", "100.380.501", "100.370.100", "100.370.110"}, said{status: failed, reason: "risk_rejected", final: true}},
		{[]string{"800.400.100"}, said{status: failed, reason: "address_check_failed", final: true}},
		{[]string{"800.200.159", "800.300.101"}, said{status: failed, reason: "blacklisted", final: true}},
		{[]string{"800.110.100", "800.120.100", "800.160.100"}, said{status: failed, reason: "risk_validation_failed", final: true}},
		{[]string{"600.200.500", "600.300.101", "500.100.201", "500.200.101", "800.121.100"}, said{status: failed, reason: "configuration_error", final: true}},
		{[]string{"700.100.100", "700.300.100", "700.400.200", "700.450.001", "700.500.001"}, said{status: failed, reason: "invalid_reference", final: true}},
		{[]string{"200.100.101", "200.300.404", "100.300.101", "100.370.121", "100.500.101", "100.570.001", "800.900.100", "100.600.500", "100.900.500"}, said{status: failed, reason: "invalid_request", final: true}},
		{[]string{"100.800.100"}, said{status: failed, reason: "invalid_address", final: true}},
		{[]string{"100.700.100", "100.900.100", "100.900.450", "100.900.000"}, said{status: failed, reason: "invalid_contact", final: true}},
		{[]string{"100.100.100", "100.200.100", "100.210.101"}, said{status: failed, reason: "invalid_account", final: true}},
		{[]string{"100.550.300", "100.550.701"}, said{status: failed, reason: "invalid_amount", final: true}},
		// About chargebacks, registrations and jobs: no answer to a sale.
		{[]string{"000.100.200", "000.100.210", "000.100.213", "000.100.220", "100.150.100", "100.350.100", "100.250.100", "100.360.201"}, said{status: quarantined}},
		{[]string{"123.456.789", "000.400.031", "000.400.130", "000.500.000", "100.900.501", "900.500.100", "600.400.100"}, said{status: quarantined}},
		// The published patterns are prefixes and would match these.
		{[]string{"000.000.000extra", "000.000.0000", " 000.000.000", "000.000.000 ", "0000000000", "000.000.00", "000.000.", "000-000-000", "٠٠٠.000.000"}, said{status: quarantined}},
	}
	for _, tt := range tests {
		for _, code := range tt.codes {
			if got := sayOf(normalize(t, "DB", "VISA", code)); got != tt.want {
				t.Errorf("%s: got %+v, want %+v", code, got, tt.want)
			}
		}
	}
}

func sayOf(it provider.Item) said {
	if it.Quarantine != nil {
		return said{status: it.Quarantine.Reason.String()}
	}
	e := it.Fact.Event
	return said{e.GetPaymentStatus().String(), e.GetReason().GetCode(), e.GetMode() == eventv1.Mode_MODE_TEST, e.GetFinal()}
}

// TestOperationsOfOnePayment says which payment an operation is about, and how
// the operation went.
func TestOperationsOfOnePayment(t *testing.T) {
	const (
		worked = eventv1.OperationOutcome_OPERATION_OUTCOME_SUCCEEDED
		open   = eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING
		not    = eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED
	)
	tests := []struct {
		paymentType, brand, code string
		payment                  string
		operation                eventv1.Operation
		outcome                  eventv1.OperationOutcome
		ifPaid                   eventv1.PaymentStatus
	}{
		{"PA", "VISA", "000.000.000", "op", eventv1.Operation_OPERATION_AUTHORIZATION, worked, 0},
		{"PA", "OXXO", "000.000.000", "op", eventv1.Operation_OPERATION_PREPAYMENT, worked, 0},
		{"PA", "OXXO", "800.100.152", "op", eventv1.Operation_OPERATION_PREPAYMENT, not, 0},
		{"PA", "PIGEON", "000.200.000", "op", eventv1.Operation_OPERATION_AUTHORIZATION, open, 0},
		{"PP", "PIGEON", "000.000.000", "op", eventv1.Operation_OPERATION_PREPAYMENT, worked, 0},
		{"DB", "VISA", "000.000.000", "ref", eventv1.Operation_OPERATION_SALE, worked, 0},
		{"CP", "VISA", "000.000.000", "ref", eventv1.Operation_OPERATION_CAPTURE, worked, 0},
		{"CP", "VISA", "800.100.152", "ref", eventv1.Operation_OPERATION_CAPTURE, not, 0},
		{"CP", "VISA", "100.396.101", "ref", eventv1.Operation_OPERATION_CAPTURE, not, 0},
		{"RC", "OXXO", "000.000.000", "ref", eventv1.Operation_OPERATION_RECEIPT, worked, 0},
		{"RV", "VISA", "000.000.000", "ref", eventv1.Operation_OPERATION_VOID, worked, eventv1.PaymentStatus_PAYMENT_STATUS_REVERSED},
		{"RV", "VISA", "700.300.100", "ref", eventv1.Operation_OPERATION_VOID, not, 0},
		{"RV", "VISA", "900.100.300", "ref", eventv1.Operation_OPERATION_VOID, open, 0},
		{"RF", "VISA", "000.000.000", "ref", eventv1.Operation_OPERATION_REFUND, worked, 0},
		{"RF", "VISA", "000.400.020", "ref", eventv1.Operation_OPERATION_REFUND, open, 0},
		{"CB", "VISA", "000.100.220", "ref", eventv1.Operation_OPERATION_CHARGEBACK, worked, 0},
		{"CR", "VISA", "000.000.000", "ref", eventv1.Operation_OPERATION_CHARGEBACK_REVERSAL, worked, 0},
	}
	for _, tt := range tests {
		t.Run(tt.paymentType+" "+tt.brand+" "+tt.code, func(t *testing.T) {
			f := normalize(t, tt.paymentType, tt.brand, tt.code).Fact
			if f == nil {
				t.Fatal("no fact")
			}
			e := f.Event
			if e.GetProviderPaymentId() != tt.payment || f.Payment[0] != tt.payment || e.GetProviderOperationId() != "op" {
				t.Errorf("got payment %q, operation %q, want %q and op", e.GetProviderPaymentId(), e.GetProviderOperationId(), tt.payment)
			}
			if e.GetOperation() != tt.operation || e.GetOperationOutcome() != tt.outcome || f.IfPaid != tt.ifPaid {
				t.Errorf("got %s %s, if paid %s", e.GetOperation(), e.GetOperationOutcome(), f.IfPaid)
			}
		})
	}
}

func TestDisputesAndUnknownOperationsAreNotGuessed(t *testing.T) {
	for _, tt := range [][3]string{
		{"CB", "VISA", "800.100.152"}, {"CB", "VISA", "000.200.000"}, {"CR", "VISA", "000.100.220"}, {"CR", "VISA", "900.100.300"},
		{"CD", "VISA", "000.000.000"}, {"RB", "VISA", "000.000.000"}, {"RI", "VISA", "000.000.000"}, {"pa", "VISA", "000.000.000"},
		{"PA", "", "000.000.000"}, {"PA", "visa", "000.000.000"}, {"PA", "PIGEON", "000.000.000"},
	} {
		if got := sayOf(normalize(t, tt[0], tt[1], tt[2])).status; got != quarantined {
			t.Errorf("%v: got %s, want it quarantined", tt, got)
		}
	}
}
