package client_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paynorm/paynorm/client"
	"github.com/paynorm/paynorm/internal/serve/servetest"
)

func queries(t *testing.T, target string) *client.Queries {
	t.Helper()
	conn, err := client.DialGRPC(target, client.GRPCOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return client.NewQueries(conn)
}

func TestListsHideTheirPages(t *testing.T) {
	site := servetest.Start(t, nil)
	const n = 205 // more than a page
	for i := range n {
		site.Clip(t, fmt.Sprintf("p%03d", i), "COMPLETED", 1)
	}
	q := queries(t, site.GRPC)
	subscribe(t, connect(t, site.NATS), n, client.Options{}, payments) // now all are published
	next := n
	for e, err := range q.Events(t.Context(), `provider = "clip"`) {
		if err != nil {
			t.Fatal(err)
		}
		next--
		if want := fmt.Sprintf("p%03d", next); e.GetProviderPaymentId() != want {
			t.Fatalf("got %s, want %s", e.GetProviderPaymentId(), want)
		}
		got, err := q.Event(t.Context(), e.GetName())
		if err != nil || got.GetCursor() != e.GetCursor() {
			t.Fatalf("%s: %v, %v", e.GetName(), got, err)
		}
	}
	if next != 0 {
		t.Errorf("%d events are missing", next)
	}
	count := 0
	for p, err := range q.Payments(t.Context(), "") {
		if err != nil || p.GetVersion() != 1 {
			t.Fatalf("%v, %v", p, err)
		}
		if count++; count == 3 {
			break // no more pages are asked for
		}
	}
	for _, err := range q.Events(t.Context(), "nonsense") {
		if status.Code(err) != codes.InvalidArgument || client.Reason(err) != "INVALID_FIELD" {
			t.Errorf("got %v, reason %q", err, client.Reason(err))
		}
	}
	if _, err := q.Payment(t.Context(), "payments/p0"); client.Reason(err) != "NOT_FOUND" {
		t.Errorf("got %v", err)
	}
	if client.Reason(errors.New("x")) != "" {
		t.Error("a foreign error has a reason")
	}
}

func TestWatchGoesOnWhenTheServerComesBack(t *testing.T) {
	dir := t.TempDir()
	site := &servetest.Site{}
	site.StartIn(t, dir, nil)
	address := map[string]any{"grpc": map[string]any{"address": site.GRPC}}
	site.Clip(t, "p1", "COMPLETED", 1)
	subscribe(t, connect(t, site.NATS), 1, client.Options{}, payments)
	q := queries(t, site.GRPC)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	var got []string
	var last int64
	for e, err := range q.Watch(ctx, "", client.FromBeginning()) {
		if err != nil {
			t.Fatal(err)
		}
		got, last = append(got, e.GetProviderPaymentId()), e.GetCursor()
		switch len(got) {
		case 1:
			site.Stop()
			site = &servetest.Site{}
			site.StartIn(t, dir, address)
			site.Clip(t, "p2", "COMPLETED", 2)
		case 2:
			site.Clip(t, "p3", "COMPLETED", 3)
		}
		if len(got) == 3 {
			break
		}
	}
	if diff := cmp.Diff([]string{"p1", "p2", "p3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	for e, err := range q.Watch(ctx, "", client.AfterCursor(last-1)) {
		if err != nil || e.GetProviderPaymentId() != "p3" {
			t.Fatalf("after a cursor: %v, %v", e, err)
		}
		break
	}
	for e, err := range q.Watch(ctx, "", client.AfterCursor(last+10)) {
		if client.Reason(err) != "CURSOR_OUT_OF_RANGE" {
			t.Fatalf("beyond: %v, %v", e, err)
		}
	}
	for e, err := range q.Watch(ctx, "x = 1", client.FromNow()) {
		if status.Code(err) != codes.InvalidArgument {
			t.Fatalf("filter: %v, %v", e, err)
		}
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	for e, err := range q.Watch(ended, "", client.FromNow()) {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("ended: %v, %v", e, err)
		}
	}
}

func TestTokenIsNotSentInPlainTextToAnotherHost(t *testing.T) {
	if _, err := client.DialGRPC("192.0.2.1:9090", client.GRPCOptions{Token: "x"}); err == nil {
		t.Error("dialed")
	}
	for _, target := range []string{"127.0.0.1:9090", "localhost:9090", "[::1]:9090"} {
		conn, err := client.DialGRPC(target, client.GRPCOptions{Token: "x"})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

func TestFilesThatAreMissingAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := client.DialGRPC("127.0.0.1:1", client.GRPCOptions{TLS: &client.TLS{CAFile: file}}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("without the CA: got %v", err)
	}
	if _, err := client.ConnectNATS("nats://127.0.0.1:1", client.NATSOptions{TLS: &client.TLS{CertFile: file}}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("without the certificate: got %v", err)
	}
}
