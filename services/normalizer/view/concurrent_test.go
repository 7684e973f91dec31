package view_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paynorm/paynorm/benchmarks/dataset"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// TestReadersFindWhatWasAppliedWhileKeysMove reads by IDs while their keys go
// from memory to the table: what Apply has returned from is always found.
func TestReadersFindWhatWasAppliedWhileKeysMove(t *testing.T) {
	v, h := open(t, filepath.Join(t.TempDir(), "view.db")), dataset.New(1)
	var applied atomic.Pointer[[]*eventv1.PaymentStatusChanged]
	applied.Store(&[]*eventv1.PaymentStatusChanged{})
	var reading sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		r := rand.New(rand.NewPCG(uint64(i), 5))
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if known := *applied.Load(); len(known) > 0 {
					findAll(t, v, known, known[r.IntN(len(known))])
				}
			}
		})
	}
	var all []*eventv1.PaymentStatusChanged
	for range 80 {
		b := h.Batch(4)
		apply(t, v, b)
		all = append(all, b.Events...)
		known := all[:len(all):len(all)]
		applied.Store(&known)
	}
	close(done)
	reading.Wait()
}

// findAll finds the events of e's payment, its payment and e itself.
func findAll(t *testing.T, v *view.View, known []*eventv1.PaymentStatusChanged, e *eventv1.PaymentStatusChanged) {
	ctx := context.Background()
	if _, err := v.Event(ctx, e.GetName()); err != nil {
		t.Error(err)
	}
	if _, err := v.Payment(ctx, e.GetPayment()); err != nil {
		t.Error(err)
	}
	filter := fmt.Sprintf("merchant_reference = %q", e.GetMerchantReference())
	if got, err := v.Payments(ctx, view.Query{Filter: parsePayments(t, filter), Limit: 9}); err != nil || len(got) != 1 {
		t.Errorf("payments with %s: %d, %v", filter, len(got), err)
	}
	got, err := v.EventsAfter(ctx, 0, parseEvents(t, fmt.Sprintf("payment = %q", e.GetPayment())), 100)
	if err != nil {
		t.Error(err)
	}
	found := map[int64]bool{}
	for _, e := range got {
		found[e.GetCursor()] = true
	}
	for _, k := range known {
		if k.GetPayment() == e.GetPayment() && !found[k.GetCursor()] {
			t.Errorf("event %d of %s is not found", k.GetCursor(), e.GetPayment())
		}
	}
}
