package reprocess_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/reprocess"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// letters is an adapter whose bodies have a letter for each item, which it reads
// as a status: of a fact, "skip", or "" for quarantine.
type letters map[string]string

func (letters) Describe() provider.Descriptor {
	return provider.Descriptor{ID: "letters", MappingVersion: 1}
}

func (letters) Verify(d provider.Delivery, _ provider.Keys) (provider.Verified, error) {
	return provider.Verified{Plaintext: d.Body}, nil
}

func (l letters) Normalize(_ provider.Delivery, plaintext []byte) (r provider.Result) {
	for _, letter := range strings.Split(string(plaintext), "") {
		switch status := l[letter]; status {
		case "":
			r.Items = append(r.Items, provider.Item{Quarantine: &provider.Quarantine{Reason: eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED}})
		case "skip":
			r.Items = append(r.Items, provider.Item{Skip: &provider.Skip{Reason: "skip"}})
		default:
			r.Items = append(r.Items, provider.Item{Fact: &provider.Fact{
				Event: &eventv1.PaymentStatusChanged{Kind: eventv1.Kind_KIND_PAYMENT, ProviderPaymentId: letter, Status: &eventv1.PaymentStatusChanged_PaymentStatus{
					PaymentStatus: eventv1.PaymentStatus(eventv1.PaymentStatus_value["PAYMENT_STATUS_"+status]),
				}},
				Key: []string{letter}, Payment: []string{letter},
			}})
		}
	}
	return r
}

// stored is a view with one delivery, d1-0, projected as before reads it, after
// another one that told of the letter r.
func stored(t *testing.T, body string, before letters) (*view.View, *ledgerv1.Delivery, normalize.Place) {
	t.Helper()
	v, err := view.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	n := normalize.New([]provider.Adapter{before})
	var batch view.Batch
	seen := map[string]int64{}
	deliver := func(body string, at normalize.Place) *ledgerv1.Delivery {
		d := &ledgerv1.Delivery{Provider: "letters", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Body: []byte(body), ReceiveTime: timestamppb.New(time.Unix(1_700_000_000, 0))}
		batch.Deliveries = append(batch.Deliveries, view.Delivery{Provider: "letters", Merchant: "acme", Mode: d.GetMode(), Sequence: at.Sequence, Index: at.Index})
		items, _ := n.Items(d, at)
		for _, it := range items {
			if e := it.Event; e != nil && seen[e.GetName()] > 0 {
				batch.Repeats = append(batch.Repeats, view.Repeat{Sequence: at.Sequence, Index: at.Index, Item: it.Index, Cursor: seen[e.GetName()]})
			} else if e != nil {
				batch.Cursor++
				e.Cursor = batch.Cursor
				payment.Decide(&ledgerv1.PaymentState{}, e, 0)
				batch.Events, seen[e.GetName()] = append(batch.Events, e), e.GetCursor()
			} else if it.Notice != nil {
				batch.Cursor++
				it.Notice.Cursor = batch.Cursor
				batch.Notices = append(batch.Notices, it.Notice)
			}
		}
		return d
	}
	deliver("r", normalize.Place{Sequence: 1})
	at := normalize.Place{Sequence: 1, Index: 1}
	d := deliver(body, at)
	if err := v.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return v, d, at
}

func TestEachItemIsComparedWithWhatItWas(t *testing.T) {
	before := letters{"r": "PAID", "a": "PAID", "b": "PENDING", "c": "PAID", "d": "PAID", "s": "skip", "t": "skip"}
	today := letters{"r": "FAILED", "a": "PAID", "b": "FAILED", "d": "skip", "q": "PAID", "s": "PAID", "t": "skip"}
	v, d, at := stored(t, "rabcdqstu", before)
	changes, err := reprocess.Compare(t.Context(), v, normalize.New([]provider.Adapter{today}), d, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Kind          reprocess.Kind
		Before, After string
		Quarantined   bool
		Fields        []string
	}
	status := func(e *eventv1.PaymentStatusChanged) string {
		if e == nil {
			return ""
		}
		return strings.TrimPrefix(e.GetPaymentStatus().String(), "PAYMENT_STATUS_")
	}
	var got []line
	for i, c := range changes {
		if c.Item != i || c.Delivery != "deliveries/d1-1" {
			t.Errorf("change %d is of %s, item %d", i, c.Delivery, c.Item)
		}
		got = append(got, line{c.Kind, status(c.Before), status(c.After), c.Notice != nil, c.Fields})
	}
	want := []line{
		{reprocess.None, "PAID", "PAID", false, nil}, // a repeat: the first delivery speaks for it
		{reprocess.None, "PAID", "PAID", false, nil},
		{reprocess.Corrected, "PENDING", "FAILED", false, []string{"payment_status"}},
		{reprocess.Unsupported, "PAID", "", true, nil},
		{reprocess.Unsupported, "PAID", "", false, nil},
		{reprocess.Released, "", "PAID", false, nil},
		{reprocess.Released, "", "PAID", false, nil},
		{reprocess.None, "", "", false, nil},
		{reprocess.None, "", "", true, nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if got := changes[2].After.GetSupersedes(); got != changes[2].Before.GetName() {
		t.Errorf("the correction supersedes %q", got)
	}
}

func TestWhatCannotBeComparedIsNot(t *testing.T) {
	v, d, at := stored(t, "a", letters{"a": "PAID"})
	n := normalize.New([]provider.Adapter{letters{"a": "FAILED"}})
	if _, err := reprocess.Compare(context.Background(), v, n, d, normalize.Place{Sequence: 9}, nil); !errors.Is(err, view.ErrNotFound) {
		t.Errorf("a delivery that is not projected gives %v, want ErrNotFound", err)
	}
	d.Erased = true
	if changes, err := reprocess.Compare(context.Background(), v, n, d, at, nil); err != nil || len(changes) != 0 {
		t.Errorf("an erased delivery gives %v (%v), want nothing", changes, err)
	}
}
