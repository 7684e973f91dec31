package rpc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

func money(minorUnits int64) *eventv1.Money {
	return &eventv1.Money{CurrencyCode: "MXN", MinorUnits: minorUnits, Exponent: 2}
}

func TestGetPaymentPutsTheStateMachinesTogether(t *testing.T) {
	w := newWorld(t)
	paid := event(1)
	paid.MerchantReference, paid.Mode, paid.Direction = "order-1", eventv1.Mode_MODE_LIVE, eventv1.Direction_DIRECTION_INBOUND
	paid.Final, paid.Reason = true, &eventv1.Reason{Code: "by_card"}
	paid.Amount, paid.AmountPaid, paid.AmountRefunded, paid.Fee = money(1000), money(1000), money(0), money(30)
	refund := func(cursor int64, status eventv1.RefundStatus, sum *eventv1.Money) *eventv1.PaymentStatusChanged {
		e := event(cursor)
		e.Kind, e.Status = eventv1.Kind_KIND_REFUND, &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: status}
		e.ProviderOperationId, e.Payment, e.Amount, e.AmountRefunded = fmt.Sprint("op", cursor), paid.GetPayment(), money(100), sum
		return e
	}
	first := refund(2, eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, money(100))
	second := refund(3, eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, money(200))
	pending := refund(5, eventv1.RefundStatus_REFUND_STATUS_PENDING, nil)
	dispute := event(4)
	dispute.Kind, dispute.Payment = eventv1.Kind_KIND_DISPUTE, paid.GetPayment()
	dispute.Status = &eventv1.PaymentStatusChanged_DisputeStatus{DisputeStatus: eventv1.DisputeStatus_DISPUTE_STATUS_WON}
	proof := event(6)
	proof.Payment, proof.ActionBy = "payments/p9", eventv1.ActionBy_ACTION_BY_PAYER
	proof.Kind, proof.Status = eventv1.Kind_KIND_PROOF, &eventv1.PaymentStatusChanged_ProofStatus{ProofStatus: eventv1.ProofStatus_PROOF_STATUS_VERIFIED}
	alone := refund(7, eventv1.RefundStatus_REFUND_STATUS_SUCCEEDED, money(100))
	alone.Payment, alone.Final = "payments/p10", true

	of := func(e *eventv1.PaymentStatusChanged) *ledgerv1.MachineState { return &ledgerv1.MachineState{Last: e} }
	err := w.view.Apply(context.Background(), view.Batch{
		Cursor: 7, Events: []*eventv1.PaymentStatusChanged{paid, first, second, dispute, pending, proof, alone},
		States: map[string]*ledgerv1.PaymentState{
			paid.GetPayment(): {Version: 5, Machines: map[string]*ledgerv1.MachineState{
				"payment": of(paid), "refund/op2": of(first), "refund/op3": of(second), "refund/op5": of(pending), "dispute": of(dispute),
			}},
			"payments/p9":  {Version: 1, Machines: map[string]*ledgerv1.MachineState{"proof": of(proof)}},
			"payments/p10": {Version: 1, Machines: map[string]*ledgerv1.MachineState{"refund/op7": of(alone)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []*normalizerv1.Payment{
		{
			Name: paid.GetPayment(), Provider: "clip", Merchant: "bolt", Mode: eventv1.Mode_MODE_LIVE, Direction: eventv1.Direction_DIRECTION_INBOUND,
			ProviderPaymentId: "pp-2", MerchantReference: "order-1", PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID,
			Final: true, Reason: paid.GetReason(), Amount: money(1000), AmountPaid: money(1000), Fee: money(30),
			AmountRefunded: money(200), // of the refund that came last with a sum
			Refunds:        []*eventv1.PaymentStatusChanged{pending, second, first}, Dispute: dispute,
			Version: 5, UpdateTime: pending.GetReceiveTime(), LastEvent: pending.GetName(),
		},
		{
			Name: "payments/p9", Provider: "clip", Merchant: "acme", ProviderPaymentId: "pp-2",
			ProofStatus: eventv1.ProofStatus_PROOF_STATUS_VERIFIED, ActionBy: eventv1.ActionBy_ACTION_BY_PAYER,
			Version: 1, UpdateTime: proof.GetReceiveTime(), LastEvent: proof.GetName(),
		},
		{ // only a refund is known: its amount and finality are not the payment's
			Name: "payments/p10", Provider: "clip", Merchant: "bolt", ProviderPaymentId: "pp-3",
			AmountRefunded: money(100), Refunds: []*eventv1.PaymentStatusChanged{alone},
			Version: 1, UpdateTime: alone.GetReceiveTime(), LastEvent: alone.GetName(),
		},
	}
	for _, want := range tests {
		t.Run(want.GetName(), func(t *testing.T) {
			got, err := normalizerv1.NewPaymentServiceClient(w.conn).GetPayment(ctx(t), &normalizerv1.GetPaymentRequest{Name: want.GetName()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("GetPayment (-want +got):\n%s", diff)
			}
		})
	}
	_, err = normalizerv1.NewPaymentServiceClient(w.conn).GetPayment(ctx(t), &normalizerv1.GetPaymentRequest{Name: "payments/none"})
	if diff := cmp.Diff(failure{Code: codes.NotFound, Reason: "NOT_FOUND", Message: "not found"}, failureOf(err)); diff != "" {
		t.Errorf("an unknown payment (-want +got):\n%s", diff)
	}
}

func TestListPaymentsPagesFromTheLastChangeOn(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(13) // payment p1 changed with 10, p2 with 11, p3 with 12, p4 with 13, p5 with 9
	client := normalizerv1.NewPaymentServiceClient(w.conn)
	list := func(filter string) (got []string) {
		request := &normalizerv1.ListPaymentsRequest{PageSize: 2, Filter: filter}
		for page := 0; page == 0 || request.PageToken != ""; page++ {
			response, err := client.ListPayments(ctx(t), request)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range response.GetPayments() {
				got = append(got, p.GetName())
			}
			request.PageToken = response.GetNextPageToken()
		}
		return got
	}
	all := []string{"payments/p4", "payments/p3", "payments/p2", "payments/p1", "payments/p5"}
	for filter, want := range map[string][]string{
		"":                                     all,
		"payment_status = PAID":                all,
		"merchant = bolt":                      {"payments/p4", "payments/p2", "payments/p5"},
		`provider_payment_id = "pp-3"`:         {"payments/p3"},
		`update_time > "2025-01-31T12:00:11Z"`: {"payments/p4", "payments/p3"},
	} {
		if got := list(filter); !slices.Equal(got, want) {
			t.Errorf("payments with %q are %v, want %v", filter, got, want)
		}
	}
	_, err := client.ListPayments(ctx(t), &normalizerv1.ListPaymentsRequest{Filter: "cursor > 5"})
	if diff := cmp.Diff(invalid("filter", `at byte 0: unknown field "cursor"; there are direction, merchant, merchant_reference, mode, payment_status, proof_status, provider, provider_payment_id, update_time`), failureOf(err)); diff != "" {
		t.Errorf("a field of events (-want +got):\n%s", diff)
	}
}

func TestProvidersAreListedByName(t *testing.T) {
	w := newWorld(t)
	w.drift.Add("clip", []string{"new_member"}, noon())
	client := normalizerv1.NewProviderServiceClient(w.conn)
	var got []string
	request := &normalizerv1.ListProvidersRequest{PageSize: 2}
	for page := 0; page == 0 || request.PageToken != ""; page++ {
		response, err := client.ListProviders(ctx(t), request)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range response.GetProviders() {
			got = append(got, p.GetName())
			one, err := client.GetProvider(ctx(t), &normalizerv1.GetProviderRequest{Name: p.GetName()})
			if err != nil || !proto.Equal(one, p) {
				t.Errorf("GetProvider(%s) = %v, %v, want what the list has", p.GetName(), one, err)
			}
			if len(p.GetMappings()) == 0 || len(p.GetAuthSchemes()) == 0 || p.GetAcknowledgementStatus() == 0 {
				t.Errorf("%s says too little: %v", p.GetName(), p)
			}
		}
		request.PageToken = response.GetNextPageToken()
	}
	if want := []string{"providers/aci-opp", "providers/clip", "providers/incode", "providers/qitech", "providers/singleview"}; !slices.Equal(got, want) {
		t.Errorf("providers are %v, want %v", got, want)
	}
	clip, err := client.GetProvider(ctx(t), &normalizerv1.GetProviderRequest{Name: "providers/clip"})
	if err != nil || len(clip.GetSchemaDrifts()) != 1 || clip.GetSchemaDrifts()[0].GetMember() != "new_member" {
		t.Errorf("drift of clip is %v, %v", clip.GetSchemaDrifts(), err)
	}
	_, err = client.GetProvider(ctx(t), &normalizerv1.GetProviderRequest{Name: "providers/none"})
	if diff := cmp.Diff(failure{Code: codes.NotFound, Reason: "NOT_FOUND", Message: "not found"}, failureOf(err)); diff != "" {
		t.Errorf("an unknown provider (-want +got):\n%s", diff)
	}
}
