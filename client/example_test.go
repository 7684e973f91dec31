package client_test

import (
	"context"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/paynorm/paynorm/client"
)

// A subscriber books what was paid and what was refunded, and goes on where it
// was when it is started again.
func ExampleSubscribe() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	conn, err := client.ConnectNATS("nats://127.0.0.1:4222", client.NATSOptions{Name: "bookkeeping"})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	err = client.Subscribe(ctx, conn, client.Options{
		Durable: "bookkeeping",
		Subjects: []string{
			client.Filter{Mode: "live", Kind: "payment", Status: "paid"}.Payments(),
			client.Filter{Mode: "live", Kind: "refund", Status: "succeeded"}.Payments(),
		},
		OnPoison: func(_ context.Context, p client.Poison) error {
			log.Printf("look at event %d: %v", p.Cursor, p.Err)
			return nil
		},
	}, client.Handlers{
		OnPayment: func(_ context.Context, e *client.Event) error {
			fmt.Println("paid", e.GetName(), e.GetAmount().GetMinorUnits(), e.GetAmount().GetCurrencyCode())
			return nil // book it once for each name
		},
		OnRefund: func(_ context.Context, e *client.Event) error {
			fmt.Println("refunded", e.GetName(), e.GetAmount().GetMinorUnits(), e.GetAmount().GetCurrencyCode())
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}

// All payments of a merchant that were paid.
func ExampleQueries_Payments() {
	conn, err := client.DialGRPC("127.0.0.1:9090", client.GRPCOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for p, err := range client.NewQueries(conn).Payments(context.Background(), `merchant = "acme" AND payment_status = "PAID"`) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(p.GetName(), p.GetMerchantReference())
	}
}

func ExampleFilter() {
	f := client.Filter{Mode: "live", Merchant: "acme", Kind: "payment"}
	fmt.Println(f.Payments())
	fmt.Println(f.Quarantine())
	// Output:
	// payments.v1.live.*.acme.payment.*
	// quarantine.v1.*.acme
}
