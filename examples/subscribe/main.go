// Command subscribe prints the events that paynorm publishes, one a line:
//
//	go run ./examples/subscribe 'payments.v1.>'
//	go run ./examples/subscribe -json 'payments.v1.live.*.acme.payment.paid'
//
// It is an example of a subscriber, and uses nothing of paynorm but the event
// messages. A plain subscription like this one sees what is published while it
// runs; a JetStream consumer on the stream PAYNORM_EVENTS also gets what it missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "subscribe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("subscribe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	url := flags.String("s", nats.DefaultURL, "address of the NATS server")
	count := flags.Int("n", 0, "stop after this many messages; 0 goes on for ever")
	asJSON := flags.Bool("json", false, "print whole events as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	subject := "payments.v1.>"
	if flags.NArg() > 0 {
		subject = flags.Arg(0)
	}

	conn, err := nats.Connect(*url, nats.Name("paynorm example"))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", *url, err)
	}
	defer conn.Close()
	messages, err := conn.SubscribeSync(subject)
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	if err := conn.Flush(); err != nil { // now the server knows
		return err
	}
	_, _ = fmt.Fprintln(stderr, "waiting for", subject)

	for n := 0; *count == 0 || n < *count; n++ {
		msg, err := messages.NextMsgWithContext(ctx)
		if errors.Is(err, context.Canceled) {
			return nil // interrupted, which is how it is meant to end
		}
		if err != nil {
			return err
		}
		line, err := describe(msg, *asJSON)
		if err != nil {
			return fmt.Errorf("%s: %w", msg.Subject, err)
		}
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// describe is a message on one line.
func describe(msg *nats.Msg, asJSON bool) (string, error) {
	if strings.HasPrefix(msg.Subject, "quarantine.") {
		return describeNotice(msg, asJSON)
	}
	event := &eventv1.PaymentStatusChanged{}
	if err := decode(msg, event); err != nil {
		return "", err
	}
	if asJSON {
		text, err := protojson.Marshal(event)
		return string(text), err
	}
	return fmt.Sprintf("%s %s %s/%s", msg.Subject, event.GetName(), event.GetKind(), status(event)), nil
}

// describeNotice tells of an item that was kept and not published.
func describeNotice(msg *nats.Msg, asJSON bool) (string, error) {
	notice := &eventv1.QuarantineNotice{}
	if err := decode(msg, notice); err != nil {
		return "", err
	}
	if asJSON {
		text, err := protojson.Marshal(notice)
		return string(text), err
	}
	return fmt.Sprintf("%s %s %s", msg.Subject, notice.GetName(), notice.GetReason()), nil
}

// decode reads a message by its content type: paynorm publishes protobuf, or
// JSON where its configuration says so. Members that a later version adds are
// not an error.
func decode(msg *nats.Msg, into proto.Message) error {
	if strings.HasPrefix(msg.Header.Get("content-type"), "application/json") {
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(msg.Data, into)
	}
	return proto.Unmarshal(msg.Data, into)
}

// status is the member of the event's status that its kind sets.
func status(event *eventv1.PaymentStatusChanged) fmt.Stringer {
	switch event.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		return event.GetRefundStatus()
	case eventv1.Kind_KIND_DISPUTE:
		return event.GetDisputeStatus()
	case eventv1.Kind_KIND_PROOF:
		return event.GetProofStatus()
	default:
		return event.GetPaymentStatus()
	}
}
