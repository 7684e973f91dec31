// Command reconcile lists the payments of a merchant that were paid and are not
// settled, as CSV, and the sums of their amounts by currency:
//
//	go run ./examples/reconcile -merchant acme -paid-before 48h
//
// It is an example of questions over gRPC, and of amounts without floating point.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/paynorm/paynorm/client"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

func main() {
	if err := run(context.Background(), os.Args[1:], time.Now(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "reconcile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, now time.Time, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("reconcile", flag.ContinueOnError)
	flags.SetOutput(stderr)
	target := flags.String("s", "127.0.0.1:9090", "address of paynorm's gRPC server")
	merchant := flags.String("merchant", "", "the merchant's ID")
	age := flags.Duration("paid-before", 48*time.Hour, "only what changed last longer ago than this")
	tokenFile := flags.String("token-file", "", "file with the access token, where paynorm asks for one")
	ca := flags.String("ca", "", "certificates that must have signed paynorm's, PEM; reaches it with TLS")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *merchant == "" {
		return errors.New("-merchant is required")
	}
	o := client.GRPCOptions{}
	if *ca != "" {
		o.TLS = &client.TLS{CAFile: *ca}
	}
	if *tokenFile != "" {
		token, err := os.ReadFile(*tokenFile)
		if err != nil {
			return err
		}
		o.Token = strings.TrimSpace(string(token))
	}
	conn, err := client.DialGRPC(*target, o)
	if err != nil {
		return err
	}
	defer conn.Close()
	filter := fmt.Sprintf("merchant = %q AND mode = LIVE AND direction = INBOUND AND payment_status = PAID AND update_time < %q",
		*merchant, now.Add(-*age).UTC().Format(time.RFC3339))
	return report(ctx, client.NewQueries(conn), filter, stdout)
}

// report writes one line for each payment, and one for each currency.
func report(ctx context.Context, q *client.Queries, filter string, out io.Writer) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"provider", "payment", "provider_payment_id", "merchant_reference", "since", "amount", "currency"})
	sums := map[string]*eventv1.Money{}
	for p, err := range q.Payments(ctx, filter) {
		if err != nil {
			return err
		}
		amount := p.GetAmountPaid() // what the payer has paid, where the provider says it
		if amount == nil {
			amount = p.GetAmount()
		}
		_ = w.Write([]string{
			p.GetProvider(), p.GetName(), p.GetProviderPaymentId(), p.GetMerchantReference(),
			p.GetUpdateTime().AsTime().Format(time.RFC3339), decimal(amount), amount.GetCurrencyCode(),
		})
		if amount == nil {
			continue
		}
		if sums[amount.GetCurrencyCode()] == nil {
			sums[amount.GetCurrencyCode()] = &eventv1.Money{CurrencyCode: amount.GetCurrencyCode(), Exponent: amount.GetExponent()}
		}
		sums[amount.GetCurrencyCode()].MinorUnits += amount.GetMinorUnits()
	}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		_ = w.Write([]string{"", "", "", "", "sum", decimal(sums[currency]), currency})
	}
	w.Flush()
	return w.Error() // of any of the writes
}

// decimal writes an amount with its decimal places; nothing when the provider named none.
func decimal(m *eventv1.Money) string {
	if m == nil {
		return ""
	}
	digits := fmt.Sprintf("%0*d", int(m.GetExponent())+1, m.GetMinorUnits())
	point := len(digits) - int(m.GetExponent())
	if m.GetExponent() == 0 {
		return digits
	}
	return digits[:point] + "." + digits[point:]
}
