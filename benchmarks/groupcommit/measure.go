package main

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

// warmUp does not count.
const warmUp = 300 * time.Millisecond

// bodyLength is that of Clip's webhook about a checkout, in bytes.
const bodyLength = 930

// result is what senders saw.
type result struct {
	rate     float64 // deliveries acknowledged per second
	p50, p99 time.Duration
}

// measure lets senders store deliveries, each one after the other, for a while.
func measure(ctx context.Context, store func(context.Context, *ledgerv1.Delivery) error, senders int, lasts time.Duration) (result, error) {
	begin := time.Now().Add(warmUp)
	end := begin.Add(lasts)
	histograms, errs := make([]histogram.Histogram, senders), make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { errs[i] = send(ctx, store, begin, end, &histograms[i]) })
	}
	all.Wait()
	var sum histogram.Histogram
	for i := range histograms {
		sum.Merge(&histograms[i])
	}
	return result{
		rate: float64(sum.Count()) / lasts.Seconds(), p50: sum.Quantile(0.5), p99: sum.Quantile(0.99),
	}, errors.Join(errs...)
}

// send counts what is acknowledged between begin and end.
func send(ctx context.Context, store func(context.Context, *ledgerv1.Delivery) error, begin, end time.Time, h *histogram.Histogram) error {
	body := bytes.Repeat([]byte("x"), bodyLength)
	for {
		sent := time.Now()
		if !sent.Before(end) {
			return nil
		}
		err := store(ctx, &ledgerv1.Delivery{
			Provider: "clip", Merchant: "acme", Method: "POST", Path: "/webhooks/clip/acme",
			ReceiveTime: timestamppb.New(sent), Body: body,
		})
		if err != nil {
			return err
		}
		if done := time.Now(); !done.Before(begin) && done.Before(end) {
			h.Add(done.Sub(sent))
		}
	}
}
