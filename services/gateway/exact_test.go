package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

func line(name, value string) *normalizerv1.Header {
	return &normalizerv1.Header{Name: name, Value: []byte(value)}
}

func TestRequestArrivesUntouched(t *testing.T) {
	var n normalizer
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), Now: func() time.Time { return at }})
	a := send(t, h, "POST /webhooks/clip/acme?a=%zz&b;c HTTP/1.1\r\n"+
		"x-lower_CASE: caf\xc3\xa9 \xff\r\n"+
		"Host: pay.example:81\r\n"+
		"X-Signature: two\r\n"+
		"x-signature: one\r\n"+
		"X-Empty:\r\n"+
		"Digest-Bin: !!not base64!!\r\n"+
		"Content-Length: 4\r\n\r\n\x00\xff{\n")
	if a.status != 204 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	got := n.taken()
	if len(got) != 1 {
		t.Fatalf("got %d calls, want 1", len(got))
	}
	if got[0].GetRemoteAddress() == "" {
		t.Error("no remote address")
	}
	want := &normalizerv1.IngestDeliveryRequest{
		Provider: "clip", Merchant: "acme", Method: "POST",
		Path: "/webhooks/clip/acme", RawQuery: []byte("a=%zz&b;c"),
		Headers: []*normalizerv1.Header{
			line("content-length", "4"),
			line("digest-bin", "!!not base64!!"),
			line("host", "pay.example:81"),
			line("x-empty", ""),
			line("x-lower_case", "caf\xc3\xa9 \xff"),
			line("x-signature", "two"),
			line("x-signature", "one"),
		},
		Body:          []byte("\x00\xff{\n"),
		RemoteAddress: got[0].GetRemoteAddress(),
		ReceiveTime:   timestamppb.New(at),
	}
	if diff := cmp.Diff(want, got[0], protocmp.Transform()); diff != "" {
		t.Errorf("envelope differs (-want +got):\n%s", diff)
	}
}

func TestBodyArrivesUntouchedWhateverItsType(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, headers, body string }{
		{"JSON with blanks and a duplicate name", "Content-Type: application/json\r\n", "{\"a\" : 1.10,\n \"a\":2}\r\n"},
		{"broken JSON", "Content-Type: application/json\r\n", `{"status": X, // c`},
		{"hex text", "Content-Type: text/plain\r\n", "deadbeef00\n"},
		{"form", "Content-Type: application/x-www-form-urlencoded\r\n", "a=1&b=%20&method=GET&merchant=evil"},
		{"form with method override", "Content-Type: application/x-www-form-urlencoded\r\nX-HTTP-Method-Override: GET\r\n", "merchant=evil"},
		{"multipart", "Content-Type: multipart/form-data; boundary=x\r\n", "--x\r\n\r\n--x--"},
		{"protobuf", "Content-Type: application/protobuf\r\n", "\x00\x01\x02\xff"},
		{"malformed type", "Content-Type: ;;;\r\n", "x"},
		{"two types", "Content-Type: text/plain\r\nContent-Type: application/json\r\n", "{}"},
		{"no type", "", "x"},
		{"gzip stays compressed", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", zipped.String()},
		{"an encoding that is none", "Content-Encoding: UTF-8\r\n", "{}"},
		{"not UTF-8", "Content-Type: application/json\r\n", "{\"\xff\":\"\xc0\"}"},
		{"event stream type", "Content-Type: text/event-stream\r\nAccept: text/event-stream\r\n", "data: 1\n\n"},
		{"empty", "Content-Type: application/json\r\n", ""},
		{"larger than the first read", "", strings.Repeat("0123456789abcdef", 20_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n normalizer
			h := edge(t, &n)
			framings := map[string]string{
				"with length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.body), c.body),
				"chunked":     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			}
			if c.body != "" {
				framings["chunked"] = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body)
			}
			for framing, tail := range framings {
				a := send(t, h, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"+c.headers+tail)
				got := n.taken()
				if a.status != 204 || len(got) != 1 {
					t.Fatalf("%s: got %d %s after %d calls", framing, a.status, a.body, len(got))
				}
				if m := got[0]; string(m.GetBody()) != c.body || m.GetMethod() != "POST" || m.GetMerchant() != "acme" {
					t.Errorf("%s: got %s %s with body %.80q, want POST acme with body %.80q", framing, m.GetMethod(), m.GetMerchant(), m.GetBody(), c.body)
				}
			}
		})
	}
}

// Each of these headers and parameters means something to grpc-gateway or
// gRPC, and must mean nothing here.
func TestNothingOfTheRequestSteersTheGateway(t *testing.T) {
	for _, c := range []struct{ name, target, headers string }{
		{"timeout of a nanosecond", "", "Grpc-Timeout: 1n\r\n"},
		{"malformed timeout", "", "Grpc-Timeout: x\r\n"},
		{"method override", "", "X-HTTP-Method-Override: DELETE\r\n"},
		{"trailers", "", "TE: trailers\r\n"},
		{"an Accept that is unknown", "", "Accept: application/xml\r\n"},
		{"metadata", "", "Grpc-Metadata-Authorization: x\r\nGrpc-Metadata-X-Forwarded-For: 1.1.1.1\r\n"},
		{"binary metadata", "", "Grpc-Metadata-Foo-Bin: !!\r\nFoo-Bin: !!\r\n"},
		{"connection", "", "Connection: keep-alive, X-Foo\r\nKeep-Alive: 5\r\n"},
		{"fields in the query", "?merchant=evil&method=GET&body=e30%3D", ""},
		{"malformed query", "?a=%zz;%", ""},
		{"HTTP/2 upgrade", "", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n normalizer
			n.answer = func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
				return acknowledgement(200, "application/json", `{"status":"OK"}`), nil
			}
			h := edge(t, &n)
			a := send(t, h, "POST /webhooks/clip/acme"+c.target+" HTTP/1.1\r\nHost: x\r\n"+c.headers+"Content-Length: 0\r\n\r\n")
			if a.status != 200 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			got := n.taken()
			if len(got) != 1 || got[0].GetMerchant() != "acme" || got[0].GetMethod() != "POST" || len(got[0].GetBody()) != 0 {
				t.Errorf("got %v", got)
			}
			for name := range a.header {
				if strings.HasPrefix(name, "Grpc-") || name == "Trailer" || name == "Transfer-Encoding" {
					t.Errorf("answer has header %s", name)
				}
			}
		})
	}
}
