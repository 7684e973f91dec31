package story_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/story"
)

var golden = flag.Bool("golden", false, "rewrite the golden files; read the difference")

const payment = "payments/p0"

// minute is a time of receipt or, with a second less, of the provider.
func minute(n int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, 1, 10, n, 0, 0, time.UTC))
}

func mxn(minor int64) *eventv1.Money {
	return &eventv1.Money{CurrencyCode: "MXN", MinorUnits: minor, Exponent: 2}
}

// delivery is the n-th one, received in minute n.
func delivery(n int) *normalizerv1.Delivery {
	return &normalizerv1.Delivery{
		Name: fmt.Sprintf("deliveries/d%d-0", n), Provider: "clip", Merchant: "acme", Kept: true,
		ReceiveTime: minute(n), RemoteAddress: "192.0.2.7",
		Verification: &eventv1.Verification{Scheme: "url_token", KeyId: "acme-1", Coverage: eventv1.Coverage_COVERAGE_SENDER},
	}
}

type change func(*eventv1.PaymentStatusChanged)

// told is an event of delivery n that says that the payment is s.
func told(n int, s eventv1.PaymentStatus, d eventv1.Disposition, changes ...change) *normalizerv1.ExplanationStep {
	e := &eventv1.PaymentStatusChanged{
		Name: fmt.Sprintf("events/e%d", n), Kind: eventv1.Kind_KIND_PAYMENT, Provider: "clip", Merchant: "acme", Payment: payment,
		Direction: eventv1.Direction_DIRECTION_INBOUND, ProviderPaymentId: "pp-1", ProviderType: "CHECKOUT", ProviderStatus: "WORD",
		Status:      &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: s},
		Disposition: d, ReceiveTime: minute(n), OccurTime: minute(n), OccurTimeSource: eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD,
		OccurTimeMember: "at", Cursor: int64(n), Verification: delivery(n).GetVerification(),
	}
	for _, c := range changes {
		c(e)
	}
	return &normalizerv1.ExplanationStep{
		Delivery: delivery(n), Result: &normalizerv1.ExplanationStep_Event{Event: e},
		Subject: "payments.v1.live.clip.acme.payment.word",
		Mapping: &normalizerv1.Mapping{ProviderStatus: "CHECKOUT WORD", Outcome: s.String(), Reason: e.GetReason().GetCode(), Source: "https://example.com/words"},
	}
}

func after(s eventv1.PaymentStatus, version int64) change {
	return func(e *eventv1.PaymentStatusChanged) {
		e.PreviousStatus = &eventv1.PaymentStatusChanged_PreviousPaymentStatus{PreviousPaymentStatus: s}
		e.PaymentVersion = version
	}
}

func repeated(n int, of string) *normalizerv1.ExplanationStep {
	return &normalizerv1.ExplanationStep{Delivery: delivery(n), Result: &normalizerv1.ExplanationStep_RepeatOf{RepeatOf: of}}
}

func quarantined(n int, reason eventv1.QuarantineReason, detail string) *normalizerv1.ExplanationStep {
	return &normalizerv1.ExplanationStep{
		Delivery: delivery(n), Item: 2, Subject: "quarantine.v1.clip.acme",
		Result: &normalizerv1.ExplanationStep_Quarantined{Quarantined: &eventv1.QuarantineNotice{
			Name: fmt.Sprintf("quarantined/q%d-0-2", n), Reason: reason, Detail: detail, Delivery: delivery(n).GetName(), Cursor: int64(n), Payment: payment,
		}},
	}
}

const (
	pending    = eventv1.PaymentStatus_PAYMENT_STATUS_PENDING
	action     = eventv1.PaymentStatus_PAYMENT_STATUS_REQUIRES_ACTION
	authorized = eventv1.PaymentStatus_PAYMENT_STATUS_AUTHORIZED
	paid       = eventv1.PaymentStatus_PAYMENT_STATUS_PAID
	failed     = eventv1.PaymentStatus_PAYMENT_STATUS_FAILED
	expired    = eventv1.PaymentStatus_PAYMENT_STATUS_EXPIRED

	applied    = eventv1.Disposition_DISPOSITION_APPLIED
	stale      = eventv1.Disposition_DISPOSITION_STALE
	noChange   = eventv1.Disposition_DISPOSITION_NO_CHANGE
	anomaly    = eventv1.Disposition_DISPOSITION_ANOMALY
	correction = eventv1.Disposition_DISPOSITION_CORRECTION
)

// explanations are the stories that the golden files tell.
func explanations() map[string]*normalizerv1.ExplainPaymentResponse {
	now := &normalizerv1.Payment{
		Name: payment, Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, ProviderPaymentId: "pp-1",
		MerchantReference: "order-7", PaymentStatus: paid, Amount: mxn(196236), Version: 3, UpdateTime: minute(5),
	}
	capture := func(o eventv1.OperationOutcome) change {
		return func(e *eventv1.PaymentStatusChanged) {
			e.Operation, e.OperationOutcome = eventv1.Operation_OPERATION_CAPTURE, o
			e.Reason = &eventv1.Reason{Code: "declined_by_bank", ProviderCode: "800.100.151", Text: "Declined."}
		}
	}
	refund := func(e *eventv1.PaymentStatusChanged) {
		e.Kind, e.ProviderOperationId = eventv1.Kind_KIND_REFUND, "re-1"
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED}
		e.Amount, e.AmountRefunded, e.PaymentVersion = mxn(5), mxn(5), 4
	}
	untimed := func(e *eventv1.PaymentStatusChanged) {
		e.OccurTime, e.OccurTimeMember = e.GetReceiveTime(), ""
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_RECEIVED
	}
	early := func(e *eventv1.PaymentStatusChanged) { e.OccurTime = minute(0) }
	return map[string]*normalizerv1.ExplainPaymentResponse{
		"paid": {Payment: now, Steps: []*normalizerv1.ExplanationStep{
			told(1, pending, applied, func(e *eventv1.PaymentStatusChanged) { e.PaymentVersion, e.Amount = 1, mxn(196236) }),
			told(2, action, applied, after(pending, 2), func(e *eventv1.PaymentStatusChanged) {
				e.ActionBy, e.Reason = eventv1.ActionBy_ACTION_BY_PAYER, &eventv1.Reason{Code: "awaiting_cash"}
			}),
			told(5, paid, applied, after(action, 3)),
			repeated(6, "events/e5"),
			told(7, pending, stale, after(paid, 0), early),
			repeated(8, "events/e-before"),
			quarantined(9, eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "resource_status is in no row"),
			told(10, paid, applied, refund),
		}},
		"nothing_changed": {Payment: now, Truncated: true, Steps: []*normalizerv1.ExplanationStep{
			told(1, authorized, applied, after(pending, 1)),
			told(2, authorized, noChange, after(authorized, 0), capture(eventv1.OperationOutcome_OPERATION_OUTCOME_FAILED)),
			told(3, authorized, noChange, after(authorized, 0), capture(eventv1.OperationOutcome_OPERATION_OUTCOME_PENDING)),
			told(4, authorized, noChange, after(authorized, 0)),
			told(5, pending, stale, after(authorized, 0), untimed),
			told(6, pending, anomaly, after(authorized, 0)),
		}},
		"corrected": {
			Payment: &normalizerv1.Payment{
				Name: payment, Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_TEST, ProviderPaymentId: "pp-1", PaymentStatus: failed, Final: true,
				Reason: &eventv1.Reason{Code: "declined"}, ActionBy: eventv1.ActionBy_ACTION_BY_MERCHANT, Version: 1, UpdateTime: minute(3),
			},
			Steps: []*normalizerv1.ExplanationStep{
				told(1, expired, applied, after(0, 1)),
				told(2, paid, applied, after(expired, 2), func(e *eventv1.PaymentStatusChanged) { e.UnexpectedTransition = true }),
				told(3, failed, correction, after(paid, 3), func(e *eventv1.PaymentStatusChanged) { e.Supersedes = "events/e2" }),
				told(4, failed, applied, after(failed, 4), func(e *eventv1.PaymentStatusChanged) { e.Fee = mxn(-5) }),
			},
		},
		"lost_deliveries": {
			Payment: &normalizerv1.Payment{Name: payment, Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, ProviderPaymentId: "pp-1"},
			Steps: []*normalizerv1.ExplanationStep{
				{Delivery: &normalizerv1.Delivery{Name: "deliveries/d1-0", ReceiveTime: minute(1)}, Result: told(1, paid, stale, after(paid, 0)).GetResult(), Subject: "observations.v1.word"},
				{Delivery: &normalizerv1.Delivery{Name: "deliveries/d2-0", ReceiveTime: minute(2), Kept: true, Erased: true}, Result: told(2, paid, applied).GetResult()},
			},
		},
		"unheard_of": {Payment: &normalizerv1.Payment{Name: payment, Provider: "incode", Merchant: "acme", Mode: eventv1.Mode_MODE_TEST, ProviderPaymentId: "rq-1", ProofStatus: eventv1.ProofStatus_PROOF_STATUS_VERIFIED, Version: 1, UpdateTime: minute(1)}},
	}
}

func TestStoriesReadAsTheGoldenFilesDo(t *testing.T) {
	for name, x := range explanations() {
		t.Run(name, func(t *testing.T) {
			story.SetEffects(x.GetSteps())
			got := story.Text(x)
			file := filepath.Join("testdata", name+".txt")
			if *golden {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the story differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryQuarantineReasonSaysWhatToDo(t *testing.T) {
	values := eventv1.QuarantineReason(0).Descriptor().Values()
	for i := 1; i < values.Len(); i++ {
		x := &normalizerv1.ExplainPaymentResponse{Steps: []*normalizerv1.ExplanationStep{
			quarantined(1, eventv1.QuarantineReason(values.Get(i).Number()), "it is so"),
		}}
		story.SetEffects(x.GetSteps())
		if text := story.Text(x); !strings.Contains(text, "What to do: ") {
			t.Errorf("%s: %s", values.Get(i).Name(), text)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	for want, m := range map[string]*eventv1.Money{
		"Amount 1962.36 MXN.":              {CurrencyCode: "MXN", MinorUnits: 196236, Exponent: 2},
		"Amount 0.05 MXN.":                 {CurrencyCode: "MXN", MinorUnits: 5, Exponent: 2},
		"Amount 0.00 MXN.":                 {CurrencyCode: "MXN", Exponent: 2},
		"Amount -0.50 MXN.":                {CurrencyCode: "MXN", MinorUnits: -50, Exponent: 2},
		"Amount 500 JPY.":                  {CurrencyCode: "JPY", MinorUnits: 500},
		"Amount 0.001 KWD.":                {CurrencyCode: "KWD", MinorUnits: 1, Exponent: 3},
		"Amount 92233720368547758.07 MXN.": {CurrencyCode: "MXN", MinorUnits: 1<<63 - 1, Exponent: 2},
	} {
		if text := story.Text(&normalizerv1.ExplainPaymentResponse{Payment: &normalizerv1.Payment{Amount: m}}); !strings.Contains(text, want) {
			t.Errorf("%v is written\n%s\nwant %s", m, text, want)
		}
	}
}
