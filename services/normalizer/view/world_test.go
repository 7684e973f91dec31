package view_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// told is a delivery and what it told of, as the test knows it.
type told struct {
	view.Delivery
	payments []string
	open     []eventv1.QuarantineReason
}

// world makes up deliveries with events, repeats, notices and releases, and applies them.
type world struct {
	r      *rand.Rand
	cursor int64
	known  []*eventv1.PaymentStatusChanged
	all    []*told
}

func (w *world) at(d *view.Delivery, item int) *eventv1.LedgerPosition {
	return &eventv1.LedgerPosition{Sequence: d.Sequence, Delivery: int32(d.Index), Item: int32(item)}
}

func (w *world) event(d *view.Delivery, at *eventv1.LedgerPosition) *eventv1.PaymentStatusChanged {
	w.cursor++
	e := &eventv1.PaymentStatusChanged{
		Name: fmt.Sprintf("events/e%d", w.cursor), Cursor: w.cursor, Payment: fmt.Sprintf("payments/p%d", w.r.IntN(20)),
		Provider: d.Provider, Merchant: d.Merchant, Delivery: d.Name, LedgerPosition: at, ReceiveTime: timestamppb.New(d.ReceiveTime),
	}
	w.known = append(w.known, e)
	return e
}

// commit makes a batch of a commit with some deliveries. Commands release what was quarantined.
func (w *world) commit(sequence int64) view.Batch {
	b := view.Batch{LedgerSequence: sequence}
	if w.r.IntN(5) == 0 {
		w.command(sequence, &b)
	} else {
		for index := range 1 + w.r.IntN(4) {
			b.Deliveries = append(b.Deliveries, w.delivery(sequence, index, &b).Delivery)
		}
	}
	b.Cursor = w.cursor
	return b
}

func (w *world) delivery(sequence int64, index int, b *view.Batch) *told {
	d := &told{Delivery: view.Delivery{
		Name:     normalize.Place{Sequence: sequence, Index: index}.Delivery(),
		Provider: oneOf(w.r, "clip", "qitech"), Merchant: oneOf(w.r, "acme", "bolt"), Mode: eventv1.Mode(1 + w.r.IntN(2)),
		Sequence: sequence, Index: index, ReceiveTime: randomTime(w.r).Add(time.Duration(sequence) * time.Second),
	}}
	if w.r.IntN(10) == 0 {
		d.ReceiveTime = time.Time{}
	}
	for item := range w.r.IntN(4) {
		switch w.r.IntN(4) {
		case 0: // nothing to publish
		case 1:
			if len(w.known) == 0 {
				continue
			}
			of := w.known[w.r.IntN(len(w.known))]
			b.Repeats = append(b.Repeats, view.Repeat{Sequence: sequence, Index: index, Item: item, Cursor: of.GetCursor()})
			d.Outcomes = append(d.Outcomes, view.Outcome{Item: item, RepeatOf: of.GetName()})
			d.payments = append(d.payments, of.GetPayment())
		case 2:
			w.cursor++
			n := &eventv1.QuarantineNotice{
				Name: fmt.Sprintf("quarantined/q%d", w.cursor), Cursor: w.cursor, Reason: eventv1.QuarantineReason(1 + w.r.IntN(3)),
				Payment: fmt.Sprintf("payments/p%d", w.r.IntN(20)), Delivery: d.Name, LedgerPosition: w.at(&d.Delivery, item),
			}
			b.Notices = append(b.Notices, n)
			d.Outcomes = append(d.Outcomes, view.Outcome{Item: item, Notice: n})
			d.payments, d.open = append(d.payments, n.GetPayment()), append(d.open, n.GetReason())
		case 3:
			e := w.event(&d.Delivery, w.at(&d.Delivery, item))
			b.Events = append(b.Events, e)
			d.Outcomes = append(d.Outcomes, view.Outcome{Item: item, Event: e.GetName()})
			d.payments = append(d.payments, e.GetPayment())
		}
	}
	w.all = append(w.all, d)
	return d
}

// command looks again at a delivery: notices are released, as an event or as a repeat, and events corrected.
func (w *world) command(sequence int64, b *view.Batch) {
	if len(w.all) == 0 {
		return
	}
	d := w.all[w.r.IntN(len(w.all))]
	for i := range d.Outcomes {
		o := &d.Outcomes[i]
		at := &eventv1.LedgerPosition{Sequence: sequence, Item: int32(o.Item)}
		switch {
		case o.Notice != nil && o.ReleasedAs == "" && w.r.IntN(3) == 0 && len(w.known) > 0:
			of := w.known[w.r.IntN(len(w.known))]
			if of.GetCursor() > w.cursor-int64(len(b.Events)) {
				continue
			}
			b.Repeats = append(b.Repeats, view.Repeat{Sequence: d.Sequence, Index: d.Index, Item: o.Item, Cursor: of.GetCursor(), Released: true})
			o.ReleasedAs = of.GetName()
			d.payments = append(d.payments, of.GetPayment())
		case o.Notice != nil && o.ReleasedAs == "":
			e := w.event(&d.Delivery, at)
			b.Events = append(b.Events, e)
			o.ReleasedAs = e.GetName()
			d.payments = append(d.payments, e.GetPayment())
		case o.Event != "":
			e := w.event(&d.Delivery, at)
			e.Supersedes = o.Event
			b.Events = append(b.Events, e)
			o.Event = e.GetName()
			d.payments = append(d.payments, e.GetPayment())
		}
	}
	d.open = nil
	for _, o := range d.Outcomes {
		if o.Notice != nil && o.ReleasedAs == "" {
			d.open = append(d.open, o.Notice.GetReason())
		}
	}
}
