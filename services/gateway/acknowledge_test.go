package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

func TestAcknowledgementIsWhatTheServiceSays(t *testing.T) {
	for _, c := range []struct {
		name              string
		status            int32
		contentType, body string
		wantType          []string
		wantBody          string
		wantLength        []string
	}{
		{"no content", 204, "", "", nil, "", nil},
		{"no content, whatever comes with it", 204, "text/plain", "x", nil, "", nil},
		{"SingleView", 200, "application/json", `{"status":"OK"}`, []string{"application/json"}, `{"status":"OK"}`, []string{"15"}},
		{"text", 202, "text/plain; charset=utf-8", "ok", []string{"text/plain; charset=utf-8"}, "ok", []string{"2"}},
		{"nothing at all", 200, "", "", nil, "", []string{"0"}},
		{"a body that could be sniffed", 200, "", "<html>", nil, "<html>", []string{"6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := normalizer{answer: func(ctx context.Context, _ *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
				if err := grpc.SetHeader(ctx, metadata.Pairs("x-inside", "secret")); err != nil {
					return nil, err
				}
				return acknowledgement(c.status, c.contentType, c.body), nil
			}}
			a := post(t, edge(t, &n), "/webhooks/clip/acme", "", "{}")
			if a.status != int(c.status) || a.body != c.wantBody {
				t.Errorf("got %d %q, want %d %q", a.status, a.body, c.status, c.wantBody)
			}
			a.header.Del("Date")
			want := http.Header{"X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"}}
			if c.wantType != nil {
				want["Content-Type"] = c.wantType
			}
			if c.wantLength != nil {
				want["Content-Length"] = c.wantLength
			}
			if diff := cmp.Diff(want, a.header); diff != "" {
				t.Errorf("headers differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAcknowledgementThatIsNoSuccessIsRefused(t *testing.T) {
	for _, code := range []int32{0, 99, 100, 199, 300, 404, 600, -1} {
		n := normalizer{answer: func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
			return acknowledgement(code, "text/plain", "x"), nil
		}}
		if a := post(t, edge(t, &n), "/webhooks/clip/acme", "", "{}"); a.status != 500 {
			t.Errorf("status %d from the service: got %d, want 500", code, a.status)
		}
	}
}

func TestTokenEndpointPassesFormAndCredentials(t *testing.T) {
	var got *normalizerv1.IssueTokenRequest
	n := normalizer{issue: func(r *normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error) {
		got = r
		return &normalizerv1.IssueTokenResponse{
			HttpStatus: 200,
			Answer:     &httpbody.HttpBody{ContentType: "application/json", Data: []byte(`{"access_token":"t"}`)},
		}, nil
	}}
	a := send(t, edge(t, &n), "POST /oauth2/incode/acme/token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic aTpz\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\n\r\ngrant_type=client_credentials")
	if a.status != 200 || a.body != `{"access_token":"t"}` || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %+v", a)
	}
	var credentials string
	for _, h := range got.GetHeaders() {
		if h.GetName() == "authorization" {
			credentials = string(h.GetValue())
		}
	}
	if got.GetProvider() != "incode" || got.GetMerchant() != "acme" || string(got.GetBody()) != "grant_type=client_credentials" || credentials != "Basic aTpz" {
		t.Errorf("got %v", got)
	}
}

func refusal(t testing.TB, code codes.Code, details ...protoadapt.MessageV1) error {
	t.Helper()
	st, err := status.New(code, "says why").WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return st.Err()
}

func TestErrorsOfTheServiceBecomeProblems(t *testing.T) {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * time.Millisecond)}
	tooLarge := &errdetails.ErrorInfo{Reason: "DELIVERY_TOO_LARGE", Domain: "paynorm"}
	for _, c := range []struct {
		name       string
		err        error
		want       string
		retryAfter string
	}{
		{"not found", refusal(t, codes.NotFound), `{"type":"about:blank","title":"Not Found","status":404,"detail":"says why"}`, ""},
		{"not authentic", refusal(t, codes.Unauthenticated, &errdetails.ErrorInfo{Reason: "NOT_AUTHENTIC", Domain: "paynorm"}), `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"says why","reason":"NOT_AUTHENTIC","domain":"paynorm"}`, ""},
		{"invalid", refusal(t, codes.InvalidArgument, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "body", Description: "not hex"}}}), `{"type":"about:blank","title":"Bad Request","status":400,"detail":"says why","errors":[{"field":"body","detail":"not hex"}]}`, ""},
		{"forbidden", refusal(t, codes.PermissionDenied), `{"type":"about:blank","title":"Forbidden","status":403,"detail":"says why"}`, ""},
		{"wrong state", refusal(t, codes.FailedPrecondition), `{"type":"about:blank","title":"Bad Request","status":400,"detail":"says why"}`, ""},
		{"conflict", refusal(t, codes.Aborted), `{"type":"about:blank","title":"Conflict","status":409,"detail":"says why"}`, ""},
		{"unavailable", refusal(t, codes.Unavailable), `{"type":"about:blank","title":"Service Unavailable","status":503}`, "1"},
		{"unavailable for longer", refusal(t, codes.Unavailable, retry, &errdetails.ErrorInfo{Reason: "NOT_DURABLE"}), `{"type":"about:blank","title":"Service Unavailable","status":503,"reason":"NOT_DURABLE"}`, "3"},
		{"overloaded", refusal(t, codes.ResourceExhausted), `{"type":"about:blank","title":"Service Unavailable","status":503}`, "1"},
		{"too late", refusal(t, codes.DeadlineExceeded), `{"type":"about:blank","title":"Service Unavailable","status":503}`, "1"},
		{"stopped halfway", refusal(t, codes.Canceled), `{"type":"about:blank","title":"Service Unavailable","status":503}`, "1"},
		{"too large for the ledger", refusal(t, codes.ResourceExhausted, tooLarge), `{"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"says why","reason":"DELIVERY_TOO_LARGE","domain":"paynorm"}`, ""},
		{"no such method", refusal(t, codes.Unimplemented, retry), `{"type":"about:blank","title":"Internal Server Error","status":500}`, ""},
		{"bug", refusal(t, codes.Internal, tooLarge), `{"type":"about:blank","title":"Internal Server Error","status":500}`, ""},
		{"no status", refusal(t, codes.Unknown), `{"type":"about:blank","title":"Internal Server Error","status":500}`, ""},
		{"data loss", refusal(t, codes.DataLoss), `{"type":"about:blank","title":"Internal Server Error","status":500}`, ""},
		{"a code that does not exist", status.Error(codes.Code(99), "says why"), `{"type":"about:blank","title":"Internal Server Error","status":500}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := normalizer{
				answer: func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
					return nil, c.err
				},
				issue: func(*normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error) { return nil, c.err },
			}
			h := edge(t, &n)
			var want struct{ Status int }
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/webhooks/clip/acme", "/oauth2/clip/acme/token"} {
				a := post(t, h, path, "", "{}")
				if a.body != c.want || a.status != want.Status {
					t.Errorf("%s: got %d %s, want %s", path, a.status, a.body, c.want)
				}
				if got := a.header.Get("Retry-After"); got != c.retryAfter {
					t.Errorf("%s: got Retry-After %q, want %q", path, got, c.retryAfter)
				}
				if got := a.header.Get("Content-Type"); got != "application/problem+json" {
					t.Errorf("%s: got Content-Type %q", path, got)
				}
				challenge := ""
				if want.Status == 401 && path != "/webhooks/clip/acme" {
					challenge = `Basic realm="paynorm"`
				}
				if got := a.header.Get("WWW-Authenticate"); got != challenge {
					t.Errorf("%s: got WWW-Authenticate %q, want %q", path, got, challenge)
				}
			}
		})
	}
}
