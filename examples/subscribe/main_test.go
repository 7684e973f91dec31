package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// startNATS returns a connection to a server of its own, and its address.
func startNATS(t *testing.T) (*nats.Conn, string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, s.ClientURL()
}

// onWaiting publishes once the subscriber has told that it waits.
type onWaiting struct{ publish func() }

func (w onWaiting) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "waiting for") {
		w.publish()
	}
	return len(p), nil
}

func message(t *testing.T, subject string, m proto.Message, asJSON bool) *nats.Msg {
	t.Helper()
	msg := nats.NewMsg(subject)
	var err error
	if asJSON {
		msg.Header.Set("content-type", "application/json")
		msg.Data, err = protojson.Marshal(m)
	} else {
		msg.Header.Set("content-type", "application/protobuf")
		msg.Data, err = proto.Marshal(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestEachMessageIsOneLine(t *testing.T) {
	paid := &eventv1.PaymentStatusChanged{Name: "events/e1", Kind: eventv1.Kind_KIND_PAYMENT, Status: &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID}}
	refund := &eventv1.PaymentStatusChanged{Name: "events/e2", Kind: eventv1.Kind_KIND_REFUND, Status: &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: eventv1.RefundStatus_REFUND_STATUS_FAILED}}
	dispute := &eventv1.PaymentStatusChanged{Name: "events/e3", Kind: eventv1.Kind_KIND_DISPUTE, Status: &eventv1.PaymentStatusChanged_DisputeStatus{DisputeStatus: eventv1.DisputeStatus_DISPUTE_STATUS_WON}}
	proof := &eventv1.PaymentStatusChanged{Name: "events/e4", Kind: eventv1.Kind_KIND_PROOF, Status: &eventv1.PaymentStatusChanged_ProofStatus{ProofStatus: eventv1.ProofStatus_PROOF_STATUS_VERIFIED}}
	notice := &eventv1.QuarantineNotice{Name: "quarantined/q1", Reason: eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED}

	conn, url := startNATS(t)
	var stdout bytes.Buffer
	waiting := onWaiting{publish: func() {
		for _, msg := range []*nats.Msg{
			message(t, "payments.v1.a", paid, false), message(t, "payments.v1.b", refund, true), message(t, "observations.v1.c", dispute, false),
			message(t, "payments.v1.d", proof, true), message(t, "quarantine.v1.e", notice, false), message(t, "payments.v1.f", paid, false),
		} {
			if err := conn.PublishMsg(msg); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := run(t.Context(), []string{"-s", url, "-n", "5", ">"}, &stdout, waiting); err != nil {
		t.Fatal(err)
	}
	want := `payments.v1.a events/e1 KIND_PAYMENT/PAYMENT_STATUS_PAID
payments.v1.b events/e2 KIND_REFUND/REFUND_STATUS_FAILED
observations.v1.c events/e3 KIND_DISPUTE/DISPUTE_STATUS_WON
payments.v1.d events/e4 KIND_PROOF/PROOF_STATUS_VERIFIED
quarantine.v1.e quarantined/q1 QUARANTINE_REASON_UNMAPPED
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWholeEventsAreJSONLines(t *testing.T) {
	event := &eventv1.PaymentStatusChanged{Name: "events/e1", Kind: eventv1.Kind_KIND_PAYMENT, Merchant: "acme"}
	notice := &eventv1.QuarantineNotice{Name: "quarantined/q1"}
	conn, url := startNATS(t)
	var stdout bytes.Buffer
	waiting := onWaiting{publish: func() {
		for _, msg := range []*nats.Msg{message(t, "payments.v1.a", event, false), message(t, "quarantine.v1.a", notice, false)} {
			if err := conn.PublishMsg(msg); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := run(t.Context(), []string{"-s", url, "-n", "2", "-json", "*.v1.>"}, &stdout, waiting); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	got, gotNotice := &eventv1.PaymentStatusChanged{}, &eventv1.QuarantineNotice{}
	if len(lines) != 2 || protojson.Unmarshal([]byte(lines[0]), got) != nil || protojson.Unmarshal([]byte(lines[1]), gotNotice) != nil {
		t.Fatalf("got %q, want two lines of JSON", lines)
	}
	if diff := cmp.Diff([]proto.Message{event, notice}, []proto.Message{got, gotNotice}, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInterruptEndsItWithoutError(t *testing.T) {
	_, url := startNATS(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := run(ctx, []string{"-s", url}, io.Discard, onWaiting{publish: cancel}); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	conn, url := startNATS(t)
	broken := onWaiting{publish: func() {
		if err := conn.Publish("payments.v1.a", []byte("\xff")); err != nil {
			t.Error(err)
		}
	}}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unreadable message", []string{"-s", url, "payments.v1.a"}, "payments.v1.a: proto: "},
		{"no server", []string{"-s", "nats://127.0.0.1:1"}, "connect to nats://127.0.0.1:1: nats: no servers available for connection"},
		{"no subject", []string{"-s", url, "a b"}, "subscribe to a b: nats: invalid subject"},
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
	} {
		err := run(t.Context(), tt.args, io.Discard, broken)
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), tt.want) {
			t.Errorf("%s: got %v, want %s…", tt.name, err, tt.want)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); err != nil {
		t.Errorf("help: %v", err)
	}
}
