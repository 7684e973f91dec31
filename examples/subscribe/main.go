// Command subscribe prints the events that paynorm publishes, one a line:
//
//	go run ./examples/subscribe 'payments.v1.>'
//	go run ./examples/subscribe -json 'payments.v1.live.*.acme.payment.paid'
//	go run ./examples/subscribe -durable books
//
// It is an example of a subscriber. Without a name it sees what is published
// while it runs; with one (-durable) it starts with the first event that is kept,
// and goes on where it was when it is started again.
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
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/client"
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
	url := flags.String("s", "nats://127.0.0.1:4222", "address of the NATS server")
	count := flags.Int64("n", 0, "stop after this many messages; 0 goes on forever")
	asJSON := flags.Bool("json", false, "print whole events as JSON")
	since := flags.Duration("since", 0, "begin that long ago, for example 24h; 0 begins now, or where the consumer was")
	durable := flags.String("durable", "", "name of the consumer: go on where it was")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	subjects := flags.Args()
	if len(subjects) == 0 {
		subjects = []string{"payments.v1.>"}
	}

	conn, err := client.ConnectNATS(*url, client.NATSOptions{Name: "paynorm example"})
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := &printer{out: stdout, json: *asJSON, left: *count, stop: stop}
	err = client.Subscribe(ctx, conn, client.Options{
		Durable: *durable, Subjects: subjects, Start: start(*durable, *since), Ordered: true,
		OnReady: func() { _, _ = fmt.Fprintln(stderr, "waiting for", strings.Join(subjects, " ")) },
		OnPoison: func(_ context.Context, poison client.Poison) error {
			return p.fail(fmt.Errorf("%s: %w", poison.Subject, poison.Err))
		},
	}, client.Handlers{Default: p.event, OnQuarantine: p.notice})
	if broken := p.failed.Load(); broken != nil {
		return *broken
	}
	return err
}

// start is from now on, and for a consumer with a name what it may have missed.
func start(durable string, since time.Duration) client.Start {
	if since > 0 {
		return client.FromTime(time.Now().Add(-since))
	}
	if durable != "" {
		return client.FromBeginning()
	}
	return client.FromNow()
}

// printer writes one line for each message. It is called by one at a time.
type printer struct {
	out    io.Writer
	json   bool
	left   int64 // 0: no end
	stop   func()
	failed atomic.Pointer[error]
}

func (p *printer) event(_ context.Context, e *client.Event) error {
	return p.line(e.PaymentStatusChanged, fmt.Sprintf("%s %s %s", e.Subject, e.GetName(), printable(e.GetProviderPaymentId())))
}

// printable returns a provider's text with blanks for line ends and other control
// characters, which it may have.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// notice tells of an item that was kept and not published.
func (p *printer) notice(_ context.Context, n *client.Notice) error {
	return p.line(n.QuarantineNotice, fmt.Sprintf("%s %s %s", n.Subject, n.GetName(), n.GetReason()))
}

func (p *printer) line(m proto.Message, line string) error {
	if p.json {
		text, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		line = string(text)
	}
	if _, err := fmt.Fprintln(p.out, line); err != nil {
		return p.fail(err)
	}
	if p.left--; p.left == 0 {
		p.stop()
	}
	return nil
}

// fail ends the program with err. The message stays for the next time.
func (p *printer) fail(err error) error {
	p.failed.CompareAndSwap(nil, &err)
	p.stop()
	return err
}
