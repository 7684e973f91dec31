package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/client"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
)

// stream makes an event stream that a newer paynorm may have written to.
func stream(t *testing.T) (*nats.Conn, func(subject, contentType, data string)) {
	t.Helper()
	conn := natsdtest.Connect(t, natsdtest.Start(t, ""))
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: client.Stream, Subjects: []string{"payments.v1.>", "quarantine.v1.>"}}); err != nil {
		t.Fatal(err)
	}
	return conn, func(subject, contentType, data string) {
		t.Helper()
		msg := &nats.Msg{Subject: subject, Header: nats.Header{"content-type": {contentType}}, Data: []byte(data)}
		if _, err := js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
}

func TestValuesThatAreNotKnownYetSurvive(t *testing.T) {
	conn, publish := stream(t)
	binary := func(e *eventv1.PaymentStatusChanged) string {
		data, err := proto.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	newStatus := &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: 77}
	publish("payments.v1.live.clip.acme.payment.frozen", "application/protobuf",
		binary(&eventv1.PaymentStatusChanged{Name: "events/e1", Kind: eventv1.Kind_KIND_PAYMENT, Status: newStatus}))
	publish("payments.v1.live.clip.acme.payment.frozen", "application/json",
		`{"name":"events/e2","kind":"KIND_PAYMENT","paymentStatus":"PAYMENT_STATUS_FROZEN","newMember":{"a":1},"method":{"type":"METHOD_TYPE_X","brand":"b"},"cursor":"2"}`)
	publish("payments.v1.live.clip.acme.loan.granted", "application/protobuf", binary(&eventv1.PaymentStatusChanged{Name: "events/e3", Kind: 99}))
	publish("payments.v1.live.clip.acme.loan.granted", "application/json; charset=utf-8", `{"name":"events/e4","kind":"KIND_LOAN","merchant":"acme"}`)

	got := subscribe(t, conn, 4, client.Options{}, func(h *heard) client.Handlers {
		line := func(handler string) func(context.Context, *client.Event) error {
			return func(_ context.Context, e *client.Event) error {
				h.add(fmt.Sprintf("%s %s kind %d %s status %d %s brand %s", handler, e.GetName(), e.GetKind(), e.KindWord(), e.GetPaymentStatus(), e.StatusWord(), e.GetMethod().GetBrand()))
				return nil
			}
		}
		return client.Handlers{OnPayment: line("payment"), Default: line("default")}
	})
	want := []string{
		"payment events/e1 kind 1 payment status 77 frozen brand ",
		"payment events/e2 kind 1 payment status 0 frozen brand b",
		"default events/e3 kind 99 loan status 0 granted brand ",
		"default events/e4 kind 0 loan status 0 granted brand ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeDecodedIsPoisonAtOnce(t *testing.T) {
	conn, publish := stream(t)
	publish("payments.v1.live.clip.acme.payment.paid", "application/protobuf", "\xff")
	publish("payments.v1.live.clip.acme.payment.paid", "application/json", "{")
	publish("quarantine.v1.clip.acme", "application/json", "{}")
	publish("payments.v1.live.clip.acme.payment.paid", "application/json", `{"name":"events/e1","kind":"KIND_PAYMENT"}`)
	got := poison(t, conn, 3)
	want := []string{
		"payments.v1.live.clip.acme.payment.paid 1 try 1: true",
		"payments.v1.live.clip.acme.payment.paid 2 try 1: true",
		"quarantine.v1.clip.acme 3 try 1: true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// poison collects n messages that are given up because they cannot be decoded.
func poison(t *testing.T, conn *nats.Conn, n int) []string {
	t.Helper()
	h := &heard{want: n}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h.stop = cancel
	o := client.Options{Subjects: []string{"*.v1.>"}, OnPoison: func(_ context.Context, p client.Poison) error {
		h.add(fmt.Sprintf("%s %d try %d: %v", p.Subject, p.Cursor, p.Try, p.Event == nil && p.Notice == nil && p.Err != nil))
		return nil
	}}
	if err := client.Subscribe(ctx, conn, o, client.Handlers{}); err != nil {
		t.Fatal(err)
	}
	return h.lines
}

func TestEventThatWasHandledIsNotHandedOutAgain(t *testing.T) {
	conn, publish := stream(t)
	for _, name := range []string{"e1", "e2", "e1", "e3"} {
		publish("payments.v1.live.clip.acme.payment.paid", "application/json", fmt.Sprintf(`{"name":"events/%s","kind":"KIND_PAYMENT","providerPaymentId":%q}`, name, name))
	}
	if diff := cmp.Diff([]string{"e1", "e2", "e3"}, subscribe(t, conn, 3, client.Options{}, payments)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A memory of one name has forgotten the first by then.
	o := client.Options{Seen: client.NewMemory(1)}
	if diff := cmp.Diff([]string{"e1", "e2", "e1", "e3"}, subscribe(t, conn, 4, o, payments)); diff != "" {
		t.Errorf("short memory (-want +got):\n%s", diff)
	}
}

func TestStoreThatFailsHasTheEventComeAgain(t *testing.T) {
	conn, publish := stream(t)
	publish("payments.v1.live.clip.acme.payment.paid", "application/json", `{"name":"events/e1","kind":"KIND_PAYMENT","providerPaymentId":"e1"}`)
	store := &forgetful{failures: 2}
	o := client.Options{Seen: store, Backoff: func(int) time.Duration { return time.Millisecond }}
	if diff := cmp.Diff([]string{"e1"}, subscribe(t, conn, 1, o, payments)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if store.failures != 0 || store.marked != "events/e1" {
		t.Errorf("%d failures are left, %q is marked", store.failures, store.marked)
	}
}

// forgetful is a store that fails at first, and never remembers.
type forgetful struct {
	failures int
	marked   string
}

func (f *forgetful) Seen(context.Context, string) (bool, error) {
	if f.failures > 0 {
		f.failures--
		return false, errors.New("the store is away")
	}
	return false, nil
}

func (f *forgetful) Mark(_ context.Context, name string) error {
	f.marked = name
	return errors.New("the store is full")
}
