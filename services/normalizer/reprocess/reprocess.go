// Package reprocess says what normalizing a stored delivery again, with the
// mapping of today, would change about what was published of it. It changes nothing.
package reprocess

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/payment"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// Kind is what reprocessing changes about an item. The values are those of
// paynorm.normalizer.v1.ReprocessChange.
type Kind int

// The kinds.
const (
	None        Kind = iota + 1 // it means what it meant
	Released                    // it was quarantined, or nothing to publish, and has an event now
	Corrected                   // it has an event that says something else than the one before
	Unsupported                 // it had an event and would have none today; an event cannot be taken back
)

// Change is what reprocessing makes of one item.
type Change struct {
	Delivery string // its name
	Item     int    // within the delivery, from 0
	Kind     Kind
	// Before is the event that tells the item until now: its own, the newest one
	// that corrects it, or the one that it repeats. Nil when there is none.
	Before *eventv1.PaymentStatusChanged
	// After is the event of today. It lacks what the history of its payment says,
	// and a correction still has the name of the fact. Where Kind is None, it is Before.
	// Where a released item only repeats a fact, it is the event of that fact, with its cursor.
	After *eventv1.PaymentStatusChanged
	// IfPaid belongs to After; see normalize.Item.
	IfPaid eventv1.PaymentStatus
	// Notice says why the item is quarantined today; nil when it is not.
	Notice *eventv1.QuarantineNotice
	// Fields are the names of the fields in which After differs from Before, for Corrected.
	Fields []string
}

// Store is what Compare reads of the query view.
type Store interface {
	Delivery(ctx context.Context, name string) (view.Delivery, error)
	Event(ctx context.Context, name string) (*eventv1.PaymentStatusChanged, error)
	Seen(ctx context.Context, events []string) (map[string]view.Origin, error)
}

// Compare returns one change for each item of d, in their order; none when the
// content of d was erased. origin is where d stands in the ledger, accounts what
// endpoints expect today. Errors wrap view.ErrNotFound when d is not projected yet.
func Compare(ctx context.Context, store Store, n *normalize.Normalizer, d *ledgerv1.Delivery, origin normalize.Place, accounts []*ledgerv1.EndpointAccounts) ([]Change, error) {
	if d.GetErased() {
		return nil, nil
	}
	d = expecting(d, accounts)
	stored, err := store.Delivery(ctx, origin.Delivery())
	if err != nil {
		return nil, err
	}
	outcomes := make(map[int]view.Outcome, len(stored.Outcomes))
	for _, o := range stored.Outcomes {
		outcomes[o.Item] = o
	}
	items, _ := n.Items(d, origin)
	var names []string
	for _, it := range items {
		if it.Event != nil {
			names = append(names, it.Event.GetName())
		}
	}
	seen, err := store.Seen(ctx, names)
	if err != nil {
		return nil, err
	}
	changes := make([]Change, len(items))
	for i, it := range items {
		_, known := seen[it.Event.GetName()]
		if changes[i], err = compare(ctx, store, it, outcomes[it.Index], known); err != nil {
			return nil, fmt.Errorf("item %d: %w", it.Index, err)
		}
		changes[i].Delivery, changes[i].Item = stored.Name, it.Index
	}
	return changes, nil
}

// expecting returns d with the accounts that its endpoint expects today, where
// accounts says so. d itself stays as it is.
func expecting(d *ledgerv1.Delivery, accounts []*ledgerv1.EndpointAccounts) *ledgerv1.Delivery {
	i := slices.IndexFunc(accounts, func(a *ledgerv1.EndpointAccounts) bool {
		return a.GetProvider() == d.GetProvider() && a.GetMerchant() == d.GetMerchant()
	})
	if i < 0 {
		return d
	}
	d = proto.CloneOf(d)
	d.ExpectAccounts = accounts[i].GetExpectAccounts()
	return d
}

// compare compares one item with what came of it. known says whether there is
// an event of its name.
func compare(ctx context.Context, store Store, it normalize.Item, was view.Outcome, known bool) (Change, error) {
	c := Change{Kind: None, IfPaid: it.IfPaid, Notice: it.Notice}
	name := was.Event
	if was.Notice != nil {
		name = was.ReleasedAs
	}
	if was.RepeatOf != "" { // the delivery that told the fact first speaks for it
		return c.keep(ctx, store, was.RepeatOf)
	}
	var err error
	switch {
	case name == "" && it.Event == nil:
		return c, nil
	case name == "" && known:
		c.Kind = Released
		c.After, err = store.Event(ctx, it.Event.GetName())
		return c, err
	case name == "":
		c.Kind, c.After = Released, it.Event
		return c, nil
	}
	if c.Before, err = store.Event(ctx, name); err != nil {
		return Change{}, err
	}
	if it.Event == nil {
		c.Kind = Unsupported
		return c, nil
	}
	at := it.Event.GetLedgerPosition()
	if c.Before.GetDelivery() != it.Event.GetDelivery() || c.Before.GetLedgerPosition().GetItem() != at.GetItem() {
		c.After = c.Before // released as a repeat of another item's fact
		return c, nil
	}
	if c.Fields = payment.Differences(c.Before, it.Event, it.IfPaid); len(c.Fields) == 0 {
		c.After = c.Before
		return c, nil
	}
	c.Kind, c.After = Corrected, it.Event
	c.After.Supersedes = c.Before.GetName()
	return c, nil
}

func (c Change) keep(ctx context.Context, store Store, name string) (Change, error) {
	e, err := store.Event(ctx, name)
	c.Before, c.After = e, e
	return c, err
}
