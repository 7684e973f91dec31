package rpc_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

const (
	basic = normalizerv1.DeliveryView_DELIVERY_VIEW_BASIC
	full  = normalizerv1.DeliveryView_DELIVERY_VIEW_FULL
)

func (p *pipeline) deliveries() normalizerv1.DeliveryServiceClient {
	return normalizerv1.NewDeliveryServiceClient(p.conn)
}

func (p *pipeline) get(name string, v normalizerv1.DeliveryView) *normalizerv1.Delivery {
	p.t.Helper()
	d, err := p.deliveries().GetDelivery(ctx(p.t), &normalizerv1.GetDeliveryRequest{Name: name, View: v})
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// said is what came of the items of a delivery, in words.
func said(d *normalizerv1.Delivery) string {
	var words []string
	for _, o := range d.GetOutcomes() {
		switch {
		case o.GetEvent() != "":
			words = append(words, "event")
		case o.GetRepeatOf() != "":
			words = append(words, "repeat")
		case o.GetQuarantined() != nil:
			words = append(words, strings.TrimPrefix(o.GetQuarantined().GetReason().String(), "QUARANTINE_REASON_"))
		default:
			words = append(words, o.GetSkipped())
		}
		if o.GetReleasedAs() != "" {
			words = append(words, "released")
		}
	}
	return strings.Join(words, " ")
}

func TestADeliveryIsShownWithAndWithoutItsContent(t *testing.T) {
	p := newPipeline(t)
	body := clip("COMPLETED", "completed_at", 1)
	name := p.send("clip", body)[0]
	sum := sha256.Sum256([]byte(body))
	got := p.get(name, basic)
	if got.GetCommitTime() == nil || len(got.GetOutcomes()) != 1 || !strings.HasPrefix(got.GetOutcomes()[0].GetEvent(), "events/e") {
		t.Errorf("delivery is %v", got)
	}
	want := &normalizerv1.Delivery{
		Name: name, Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, RemoteAddress: "192.0.2.7",
		ReceiveTime: got.GetReceiveTime(), CommitTime: got.GetCommitTime(), Outcomes: got.GetOutcomes(),
		Verification: &eventv1.Verification{Scheme: "url_token", KeyId: "acme-1", Coverage: eventv1.Coverage_COVERAGE_SENDER},
		RawSha256:    hex.EncodeToString(sum[:]), BodySize: int64(len(body)), LedgerPosition: &eventv1.LedgerPosition{Sequence: 1}, Kept: true,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("BASIC (-want +got):\n%s", diff)
	}
	want.Method, want.Path, want.RawQuery, want.Body = "POST", "/webhooks/clip/acme", "token=REDACTED", []byte(body)
	want.Headers = []*normalizerv1.DeliveryHeader{{Name: "x-odd", Value: "a\ufffdb"}}
	if diff := cmp.Diff(want, p.get(name, full), protocmp.Transform()); diff != "" {
		t.Errorf("FULL (-want +got):\n%s", diff)
	}
	for _, none := range []string{"deliveries/d1-1", "deliveries/d2-0", "deliveries/d01-0", "deliveries/x"} {
		_, err := p.deliveries().GetDelivery(ctx(t), &normalizerv1.GetDeliveryRequest{Name: none})
		if diff := cmp.Diff(failure{Code: codes.NotFound, Reason: "NOT_FOUND", Message: "not found"}, failureOf(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", none, diff)
		}
	}
}

func TestADeliverySaysWhatCameOfIt(t *testing.T) {
	p := newPipeline(t)
	paid := clip("COMPLETED", "completed_at", 1)
	names := p.send("clip", paid, paid, clip("TELEPORTED", "at", 1), "no JSON")
	names = append(names, p.send("qitech", `{"webhook_type":"baas.pix_transfer.incoming_pix"}`)...)
	names = append(names, p.send("singleview", `{"service":"svWebHookPaymentStatus","companyCode":"SV1","payments":[`+
		`{"payId":"a","status":0,"amount":1,"currency":"MXN"},{"payId":"b"},{"payId":"a","status":0,"amount":1,"currency":"MXN"}]}`)...)
	want := []string{"event", "repeat", "UNMAPPED", "MALFORMED_BODY", "not_a_payment", "event UNMAPPED repeat"}
	for i, name := range names {
		if got := said(p.get(name, basic)); got != want[i] {
			t.Errorf("%s: %q, want %q", name, got, want[i])
		}
	}
}

func TestDeliveriesAreListedFromTheNewestOn(t *testing.T) {
	p := newPipeline(t)
	names := p.send("clip", clip("CREATED", "created_at", 1), clip("TELEPORTED", "at", 2), clip("COMPLETED", "completed_at", 3))
	names = append(names, p.send("qitech", "{}")...)
	slices.Reverse(names)
	payment := p.get(names[1], basic).GetOutcomes()[0].GetEvent()
	e, err := normalizerv1.NewEventServiceClient(p.conn).GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: payment})
	if err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string][]string{
		"":                                       names,
		"provider = clip":                        names[1:],
		"provider != clip":                       names[:1],
		`quarantine_reason = "UNMAPPED"`:         names[2:3],
		`quarantine_reason = "*"`:                {names[0], names[2]},
		`payment = "` + e.GetPayment() + `"`:     {names[1], names[2], names[3]},
		`receive_time >= "2025-01-31T12:03:00Z"`: names[:2],
		"merchant = acme AND mode = TEST":        nil,
	} {
		request := &normalizerv1.ListDeliveriesRequest{PageSize: 1, Filter: filter, View: full}
		var got []string
		for page := 0; page == 0 || request.PageToken != ""; page++ {
			response, err := p.deliveries().ListDeliveries(ctx(t), request)
			if err != nil {
				t.Fatalf("%s: %v", filter, err)
			}
			for _, d := range response.GetDeliveries() {
				got = append(got, d.GetName())
				if diff := cmp.Diff(p.get(d.GetName(), full), d, protocmp.Transform()); diff != "" {
					t.Errorf("%s in the list (-GetDelivery +ListDeliveries):\n%s", d.GetName(), diff)
				}
			}
			request.PageToken = response.GetNextPageToken()
		}
		if !slices.Equal(got, want) {
			t.Errorf("deliveries with %q are %v, want %v", filter, got, want)
		}
	}
	_, err = p.deliveries().ListDeliveries(ctx(t), &normalizerv1.ListDeliveriesRequest{Filter: "payment != x"})
	if got := failureOf(err); got.Reason != "INVALID_FIELD" || !strings.Contains(got.Message, "byte 8") {
		t.Errorf("an operator that the field has not: %+v", got)
	}
}

func TestFullPagesAreSmall(t *testing.T) {
	p := newPipeline(t)
	for range 60 {
		p.send("qitech", "{}")
	}
	for view, want := range map[normalizerv1.DeliveryView]int{basic: 60, full: 50} {
		page, err := p.deliveries().ListDeliveries(ctx(t), &normalizerv1.ListDeliveriesRequest{PageSize: 1000, View: view})
		if err != nil || len(page.GetDeliveries()) != want || (page.GetNextPageToken() == "") != (want == 60) {
			t.Errorf("%s: %d deliveries, token %q, %v, want %d", view, len(page.GetDeliveries()), page.GetNextPageToken(), err, want)
		}
	}
}

func TestAnErasedDeliveryHasNoContent(t *testing.T) {
	p := newPipeline(t)
	name := p.send("clip", clip("EXPIRED", "expired_at", 1))[0]
	p.sealer.lost.Store(true)
	got := p.get(name, full)
	if !got.GetErased() || !got.GetKept() || got.GetRawSha256() != "" || got.GetBodySize() != 0 || len(got.GetBody()) != 0 || got.GetPath() != "" {
		t.Errorf("delivery is %v", got)
	}
	if said(got) != "UNMAPPED" {
		t.Errorf("its outcome is %q", said(got))
	}
	want := failure{Code: codes.FailedPrecondition, Reason: "DELIVERY_ERASED", Message: "the content of the delivery was erased"}
	_, err := p.deliveries().ReprocessDelivery(ctx(t), &normalizerv1.ReprocessDeliveryRequest{Name: name})
	if diff := cmp.Diff(want, failureOf(err)); diff != "" {
		t.Errorf("ReprocessDelivery (-want +got):\n%s", diff)
	}
	_, err = normalizerv1.NewNormalizerServiceClient(p.conn).NormalizeDelivery(ctx(t),
		&normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Name{Name: name}})
	if diff := cmp.Diff(want, failureOf(err)); diff != "" {
		t.Errorf("NormalizeDelivery (-want +got):\n%s", diff)
	}
	all, err := p.deliveries().ReprocessDeliveries(ctx(t), &normalizerv1.ReprocessDeliveriesRequest{Filter: `quarantine_reason = "*"`})
	if err != nil || all.GetDeliveryCount() != 1 || len(all.GetItems()) != 0 || all.GetLedgerSequence() != 0 {
		t.Errorf("ReprocessDeliveries = %v, %v", all, err)
	}
}
