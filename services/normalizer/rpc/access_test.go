package rpc_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
)

// admit replaces who may read.
func (p *pipeline) admit(cfg *configv1.Access) {
	p.t.Helper()
	policy, err := access.NewPolicy(cfg, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.gate.Set(policy)
}

// token is an entry whose token is its ID.
func token(id, merchant string, scopes ...string) *configv1.AccessToken {
	sum := sha256.Sum256([]byte(id))
	return &configv1.AccessToken{Id: id, Sha256: hex.EncodeToString(sum[:]), Merchants: []string{merchant}, Providers: []string{"*"}, Scopes: scopes}
}

func as(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// guarded is a pipeline with a paid payment of acme, and tokens.
func guarded(t *testing.T) (p *pipeline, delivery, payment, event string) {
	t.Helper()
	p = newPipeline(t)
	delivery = p.send("clip", clip("COMPLETED", "paid_at", 1))[0]
	page, err := normalizerv1.NewEventServiceClient(p.conn).ListEvents(ctx(t), &normalizerv1.ListEventsRequest{})
	if err != nil || len(page.GetEvents()) != 1 {
		t.Fatalf("got %v, %v, want one event", page, err)
	}
	event, payment = page.GetEvents()[0].GetName(), page.GetEvents()[0].GetPayment()
	p.admit(&configv1.Access{Tokens: []*configv1.AccessToken{
		token("all", "*", "events", "deliveries", "reprocess"), token("acme", "acme", "events"), token("rival", "rival", "events", "deliveries", "reprocess"),
		token("edge", "*", "ingest"),
	}})
	return p, delivery, payment, event
}

// rivals is a delivery to another merchant.
func rivals() *ledgerv1.Delivery {
	return &ledgerv1.Delivery{
		Provider: "clip", Merchant: "rival", Mode: eventv1.Mode_MODE_LIVE, Method: "POST", Path: "/webhooks/clip/rival",
		Body: []byte(clip("COMPLETED", "paid_at", 3)), ReceiveTime: timestamppb.New(noon()),
	}
}

// calls are all that can be called about the one delivery, by method.
func calls(p *pipeline, delivery, payment, event string) map[string]func(context.Context) (proto.Message, error) {
	events, payments := normalizerv1.NewEventServiceClient(p.conn), normalizerv1.NewPaymentServiceClient(p.conn)
	deliveries, normalizer := normalizerv1.NewDeliveryServiceClient(p.conn), normalizerv1.NewNormalizerServiceClient(p.conn)
	const full = normalizerv1.DeliveryView_DELIVERY_VIEW_FULL
	return map[string]func(context.Context) (proto.Message, error){
		"GetEvent": func(c context.Context) (proto.Message, error) {
			return events.GetEvent(c, &normalizerv1.GetEventRequest{Name: event})
		},
		"ListEvents": func(c context.Context) (proto.Message, error) {
			return events.ListEvents(c, &normalizerv1.ListEventsRequest{})
		},
		"WatchEvents": func(c context.Context) (proto.Message, error) {
			var start int64
			s, err := events.WatchEvents(c, &normalizerv1.WatchEventsRequest{AfterCursor: &start})
			if err != nil {
				return nil, err
			}
			return s.Recv()
		},
		"GetPayment": func(c context.Context) (proto.Message, error) {
			return payments.GetPayment(c, &normalizerv1.GetPaymentRequest{Name: payment})
		},
		"ListPayments": func(c context.Context) (proto.Message, error) {
			return payments.ListPayments(c, &normalizerv1.ListPaymentsRequest{})
		},
		"ExplainPayment": func(c context.Context) (proto.Message, error) {
			return payments.ExplainPayment(c, &normalizerv1.ExplainPaymentRequest{Name: payment})
		},
		"GetDelivery": func(c context.Context) (proto.Message, error) {
			return deliveries.GetDelivery(c, &normalizerv1.GetDeliveryRequest{Name: delivery})
		},
		"GetDelivery FULL": func(c context.Context) (proto.Message, error) {
			return deliveries.GetDelivery(c, &normalizerv1.GetDeliveryRequest{Name: delivery, View: full})
		},
		"ListDeliveries": func(c context.Context) (proto.Message, error) {
			return deliveries.ListDeliveries(c, &normalizerv1.ListDeliveriesRequest{})
		},
		"ListDeliveries of a payment": func(c context.Context) (proto.Message, error) {
			return deliveries.ListDeliveries(c, &normalizerv1.ListDeliveriesRequest{Filter: `payment = "` + payment + `"`})
		},
		"ListDeliveries FULL": func(c context.Context) (proto.Message, error) {
			return deliveries.ListDeliveries(c, &normalizerv1.ListDeliveriesRequest{View: full})
		},
		"ReprocessDelivery": func(c context.Context) (proto.Message, error) {
			return deliveries.ReprocessDelivery(c, &normalizerv1.ReprocessDeliveryRequest{Name: delivery})
		},
		"ReprocessDeliveries": func(c context.Context) (proto.Message, error) {
			return deliveries.ReprocessDeliveries(c, &normalizerv1.ReprocessDeliveriesRequest{Filter: `provider = "clip"`})
		},
		"NormalizeDelivery by name": func(c context.Context) (proto.Message, error) {
			return normalizer.NormalizeDelivery(c, &normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Name{Name: delivery}})
		},
		"NormalizeDelivery inline": func(c context.Context) (proto.Message, error) {
			return normalizer.NormalizeDelivery(c, &normalizerv1.NormalizeDeliveryRequest{Source: &normalizerv1.NormalizeDeliveryRequest_Delivery{
				Delivery: &normalizerv1.InlineDelivery{Provider: "clip", Merchant: "acme", Body: []byte(clip("COMPLETED", "paid_at", 1))},
			}})
		},
		"ListProviders": func(c context.Context) (proto.Message, error) {
			return normalizerv1.NewProviderServiceClient(p.conn).ListProviders(c, &normalizerv1.ListProvidersRequest{})
		},
		"IngestDelivery": func(c context.Context) (proto.Message, error) {
			return normalizer.IngestDelivery(c, &normalizerv1.IngestDeliveryRequest{Provider: "clip", Merchant: "acme"})
		},
	}
}

func TestACallerSeesOnlyWhatIsItsOwnInEveryCall(t *testing.T) {
	p, delivery, payment, event := guarded(t)
	for method, call := range calls(p, delivery, payment, event) {
		outcome := func(token string) string {
			c, cancel := context.WithCancel(as(ctx(t), token))
			defer cancel()
			m, err := call(c)
			if err != nil {
				return failureOf(err).Reason
			}
			if strings.HasPrefix(method, "List") || method == "ReprocessDeliveries" || method == "WatchEvents" {
				empty := proto.Size(m) == 0
				if w, ok := m.(*normalizerv1.WatchEventsResponse); ok {
					empty = w.GetEvent() == nil
				}
				if r, ok := m.(*normalizerv1.ReprocessDeliveriesResponse); ok {
					empty = r.GetDeliveryCount() == 0
				}
				if empty {
					return "nothing"
				}
			}
			return "ok"
		}
		want := map[string]string{"": "TOKEN_INVALID", "guess": "TOKEN_INVALID", "all": "ok", "acme": "ok", "edge": "PERMISSION_DENIED"}
		switch method {
		case "GetDelivery FULL", "ListDeliveries FULL", "ReprocessDelivery", "ReprocessDeliveries", "NormalizeDelivery by name":
			want["acme"] = "PERMISSION_DENIED"
		case "IngestDelivery":
			want = map[string]string{"": "TOKEN_INVALID", "guess": "TOKEN_INVALID", "all": "PERMISSION_DENIED", "acme": "PERMISSION_DENIED", "edge": "INTERNAL"} // the pipeline has no ingester
		}
		switch {
		case method == "ListProviders":
			want["rival"] = "ok"
		case method == "IngestDelivery":
			want["rival"] = "PERMISSION_DENIED"
		case method == "WatchEvents": // waits for an event of its own
		case strings.HasPrefix(method, "List"), method == "ReprocessDeliveries":
			want["rival"] = "nothing"
		default:
			want["rival"] = "NOT_FOUND"
		}
		got := map[string]string{}
		for token := range want {
			got[token] = outcome(token)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s by token (-want +got):\n%s", method, diff)
		}
	}
}

func TestAWatchTellsOnlyWhatIsTheCallers(t *testing.T) {
	p, _, _, _ := guarded(t)
	var start int64
	watch, err := normalizerv1.NewEventServiceClient(p.conn).WatchEvents(as(ctx(t), "rival"), &normalizerv1.WatchEventsRequest{AfterCursor: &start, Filter: `provider = "clip"`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Header(); err != nil {
		t.Fatal(err)
	}
	p.send("clip", clip("CREATED", "created_at", 2))
	at, err := p.ledger.Append(ctx(t), rivals())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.project.Await(ctx(t), at.Sequence); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := watch.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if e := m.GetEvent(); e != nil {
			if e.GetMerchant() != "rival" {
				t.Errorf("heard of %s of %s", e.GetName(), e.GetMerchant())
			}
			return
		}
	}
}

func TestAFullReadIsAuditedWithoutContent(t *testing.T) {
	p, delivery, payment, event := guarded(t)
	all := calls(p, delivery, payment, event)
	p.log.Take()
	for _, method := range []string{"GetDelivery FULL", "ListDeliveries FULL", "NormalizeDelivery by name"} {
		if _, err := all[method](as(ctx(t), "all")); err != nil {
			t.Fatal(err)
		}
		log := p.log.Take()
		for _, want := range []string{`caller="token all"`, delivery} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log:\n%s", method, want, log)
			}
		}
		if strings.Contains(log, "order-7") {
			t.Errorf("%s: the log holds content:\n%s", method, log)
		}
	}
	if _, err := all["GetDelivery"](as(ctx(t), "all")); err != nil {
		t.Fatal(err)
	}
	if log := p.log.Take(); log != "" {
		t.Errorf("a read without content is audited:\n%s", log)
	}
}

func TestHealthIsOpenAndReflectionIsNot(t *testing.T) {
	p, _, _, _ := guarded(t)
	if _, err := healthv1.NewHealthClient(p.conn).Check(ctx(t), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, "edge": codes.PermissionDenied, "acme": codes.OK} {
		s, err := reflectionv1.NewServerReflectionClient(p.conn).ServerReflectionInfo(as(ctx(t), token))
		if err != nil {
			t.Fatal(err)
		}
		ask := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
		_ = s.Send(ask) // the answer says whether it was taken
		if _, err := s.Recv(); status.Code(err) != want {
			t.Errorf("reflection with the token %q: %v, want %s", token, err, want)
		}
	}
	two := metadata.AppendToOutgoingContext(as(ctx(t), "acme"), "authorization", "Bearer rival")
	if _, err := normalizerv1.NewProviderServiceClient(p.conn).ListProviders(two, &normalizerv1.ListProvidersRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with two tokens: %v", err)
	}
}

// TestEveryMethodHasAScope fails when a method is added and nobody has said who may call it.
func TestEveryMethodHasAScope(t *testing.T) {
	p, _, _, _ := guarded(t)
	p.admit(&configv1.Access{Tokens: []*configv1.AccessToken{token("all", "*", "events", "deliveries", "reprocess", "ingest")}})
	var unknown []string
	for service, info := range p.server.GetServiceInfo() {
		if !strings.HasPrefix(service, "paynorm.") {
			continue
		}
		for _, m := range info.Methods {
			method := "/" + service + "/" + m.Name
			if m.IsServerStream {
				continue
			}
			err := p.conn.Invoke(as(ctx(t), "all"), method, &normalizerv1.ListProvidersRequest{}, &normalizerv1.ListProvidersResponse{})
			if status.Code(err) == codes.PermissionDenied {
				unknown = append(unknown, method)
			}
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		t.Errorf("nobody may call %v", unknown)
	}
}

func TestAWatchEndsWhenItsTokenIsNoLongerGood(t *testing.T) {
	for _, tt := range []struct {
		name   string
		now    []*configv1.AccessToken
		reason string
	}{
		{"revoked", []*configv1.AccessToken{token("all", "*", "events")}, "TOKEN_INVALID"},
		{"narrowed", []*configv1.AccessToken{token("acme", "rival", "events")}, "ACCESS_CHANGED"},
		{"of another scope", []*configv1.AccessToken{token("acme", "acme", "ingest")}, "ACCESS_CHANGED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _, _, _ := guarded(t)
			watch, err := normalizerv1.NewEventServiceClient(p.conn).WatchEvents(as(ctx(t), "acme"), &normalizerv1.WatchEventsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := watch.Header(); err != nil {
				t.Fatal(err)
			}
			p.admit(&configv1.Access{Tokens: tt.now})
			for err == nil {
				_, err = watch.Recv()
			}
			if got := failureOf(err).Reason; got != tt.reason {
				t.Errorf("the watch ended with %s (%v), want %s", got, err, tt.reason)
			}
		})
	}
}

func TestAWatchGoesOnWhenOtherTokensChange(t *testing.T) {
	p, _, _, _ := guarded(t)
	watch, err := normalizerv1.NewEventServiceClient(p.conn).WatchEvents(as(ctx(t), "acme"), &normalizerv1.WatchEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Header(); err != nil {
		t.Fatal(err)
	}
	p.admit(&configv1.Access{Tokens: []*configv1.AccessToken{token("new", "*", "events"), token("acme", "acme", "events")}})
	asked := p.asked.Load()
	for p.asked.Load() < asked+3 {
		runtime.Gosched()
	}
	p.send("clip", clip("CREATED", "created_at", 2))
	for {
		m, err := watch.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetEvent() != nil {
			return
		}
	}
}

func TestSchemaDriftOfAllMerchantsIsForThoseWhoSeeAll(t *testing.T) {
	p, _, _, _ := guarded(t)
	p.drift.Add("clip", []string{"new_member"}, noon())
	client := normalizerv1.NewProviderServiceClient(p.conn)
	for token, want := range map[string]int{"all": 1, "acme": 0, "rival": 0} {
		clip, err := client.GetProvider(as(ctx(t), token), &normalizerv1.GetProviderRequest{Name: "providers/clip"})
		if err != nil || len(clip.GetSchemaDrifts()) != want {
			t.Errorf("%s is told of %v (%v), want %d members", token, clip.GetSchemaDrifts(), err, want)
		}
		page, err := client.ListProviders(as(ctx(t), token), &normalizerv1.ListProvidersRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, known := range page.GetProviders() {
			got += len(known.GetSchemaDrifts())
		}
		if got != want {
			t.Errorf("%s is told of %d members in the list, want %d", token, got, want)
		}
	}
}

func TestAnEdgeHandsInForItsMerchantsOnly(t *testing.T) {
	p, _, _, _ := guarded(t)
	p.admit(&configv1.Access{Tokens: []*configv1.AccessToken{token("edge", "acme", "ingest")}})
	client := normalizerv1.NewNormalizerServiceClient(p.conn)
	for merchant, want := range map[string]string{"acme": "INTERNAL", "rival": "NOT_FOUND"} { // the pipeline has no ingester
		_, err := client.IngestDelivery(as(ctx(t), "edge"), &normalizerv1.IngestDeliveryRequest{Provider: "clip", Merchant: merchant})
		if got := failureOf(err).Reason; got != want {
			t.Errorf("IngestDelivery for %s ends with %s, want %s", merchant, got, want)
		}
		_, err = client.IssueToken(as(ctx(t), "edge"), &normalizerv1.IssueTokenRequest{Provider: "incode", Merchant: merchant})
		if got := failureOf(err).Reason; got != want {
			t.Errorf("IssueToken for %s ends with %s, want %s", merchant, got, want)
		}
	}
}

// A dry run that names no merchant is anybody's, and tells of one that is called
// like the default only those who see it.
func TestADryRunWithoutAMerchantIsAnybodys(t *testing.T) {
	p, _, _, _ := guarded(t)
	at, err := p.ledger.Append(ctx(t), &ledgerv1.Delivery{
		Provider: "clip", Merchant: "example", Mode: eventv1.Mode_MODE_TEST, Method: "POST", Path: "/webhooks/clip/example",
		Body: []byte(clip("COMPLETED", "paid_at", 3)), ReceiveTime: timestamppb.New(noon()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.project.Await(ctx(t), at.Sequence); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		token, merchant, want string
	}{
		{"acme", "", "told for the first time"},
		{"all", "", "told again"},
		{"acme", "acme", "told for the first time"},
		{"all", "example", "told again"},
		{"acme", "example", "NOT_FOUND"},
		{"acme", "rival", "NOT_FOUND"},
	} {
		got, err := normalizerv1.NewNormalizerServiceClient(p.conn).NormalizeDelivery(as(ctx(t), tt.token), &normalizerv1.NormalizeDeliveryRequest{
			Source: &normalizerv1.NormalizeDeliveryRequest_Delivery{
				Delivery: &normalizerv1.InlineDelivery{Provider: "clip", Merchant: tt.merchant, Body: []byte(clip("COMPLETED", "paid_at", 3))},
			},
		})
		outcome := "told for the first time"
		switch {
		case err != nil:
			outcome = failureOf(err).Reason
		case len(got.GetItems()) != 1:
			outcome = "nothing"
		case got.GetItems()[0].GetRepeatOf() != "":
			outcome = "told again"
		}
		if outcome != tt.want {
			t.Errorf("the token %s for the merchant %q: %s (%v), want %s", tt.token, tt.merchant, outcome, err, tt.want)
		}
	}
}
