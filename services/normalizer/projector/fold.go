package projector

import (
	"context"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// folding makes batches of messages that are in the stream already. Events of a
// payment mostly come close to each other, so payments can be kept back until
// none has come for a while: they are then written once, and not looked up.
type folding struct {
	view interface {
		States(ctx context.Context, payments []string) (map[string]*ledgerv1.PaymentState, error)
	}
	keep int // from how many payments on those that were kept longest go; 0: none is kept back
	// young are the payments of late, old those before: young takes its place when it is large.
	young, old map[string]*kept
}

type kept struct {
	state *ledgerv1.PaymentState
	first bool // the view has nothing of it
}

// batch returns the batch that messages make. With the message numbered last, nothing is kept back.
func (f *folding) batch(ctx context.Context, messages []eventstream.Message, last int64) (view.Batch, error) {
	batch := view.Batch{
		Cursor: messages[len(messages)-1].Cursor(), Encoded: encoded(messages),
		States: map[string]*ledgerv1.PaymentState{}, New: map[string]*ledgerv1.PaymentState{},
	}
	of, err := f.find(ctx, messages)
	if err != nil {
		return view.Batch{}, err
	}
	for i, m := range messages {
		if m.Notice != nil {
			batch.Notices = append(batch.Notices, m.Notice)
			continue
		}
		payment.Advance(of[i].state, m.Event)
		batch.Events = append(batch.Events, m.Event)
	}
	if f.keep == 0 || batch.Cursor >= last {
		f.release(&batch)
		f.release(&batch)
	} else if len(f.young) > f.keep {
		f.release(&batch)
	}
	return batch, nil
}

// find returns the payment of each message, nil for a notice. All of them are young then.
func (f *folding) find(ctx context.Context, messages []eventstream.Message) ([]*kept, error) {
	if f.young == nil {
		f.young = map[string]*kept{}
	}
	of := make([]*kept, len(messages))
	var unknown []string
	for i, m := range messages {
		if m.Event == nil {
			continue
		}
		name := m.Event.GetPayment()
		k := f.young[name]
		if k == nil {
			if k = f.old[name]; k != nil {
				delete(f.old, name)
			} else if k = (&kept{state: &ledgerv1.PaymentState{}, first: payment.First(m.Event)}); !k.first {
				unknown = append(unknown, name)
			}
			f.young[name] = k
		}
		of[i] = k
	}
	stored, err := f.view.States(ctx, unknown)
	for name, state := range stored {
		f.young[name].state = state
	}
	return of, err
}

// release gives batch the payments that were kept longest.
func (f *folding) release(batch *view.Batch) {
	for name, k := range f.old {
		if k.first {
			batch.New[name] = k.state
		} else {
			batch.States[name] = k.state
		}
	}
	f.old, f.young = f.young, map[string]*kept{}
}
