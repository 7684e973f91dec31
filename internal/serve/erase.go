package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

// Erase makes the content of all deliveries that told of a payment unreadable for
// good, also while paynorm is running, and returns how many. The events stay: they hold
// no personal data.
func Erase(ctx context.Context, o Options, payment string) (deliveries int, err error) {
	p, err := inPlace(ctx, o)
	if err != nil {
		return 0, err
	}
	defer p.closers.close()
	s, err := p.openStores(ctx, nobody)
	if errors.Is(err, errInUse) {
		var a eraseAnswer
		err := p.running().post(ctx, "/erase", url.Values{"payment": {payment}}, func(r io.Reader) error {
			return json.NewDecoder(r).Decode(&a)
		})
		if err == nil && a.Error != "" {
			err = errors.New(a.Error)
		}
		return a.Deliveries, err
	}
	if err != nil {
		return 0, err
	}
	defer s.ledger.Close()
	return maintenance{p, s}.erase(ctx, payment)
}

// eraseAtOnce is how many deliveries are looked up at once.
const eraseAtOnce = 1000

func (m maintenance) erase(ctx context.Context, payment string) (int, error) {
	if m.ring == nil {
		return 0, errors.New("deliveries are not encrypted, so that their content cannot be forgotten: configure encryption.keys; what was stored before stays readable")
	}
	if _, err := m.view.Payment(ctx, payment); err != nil {
		return 0, fmt.Errorf("%s: %w", payment, err)
	}
	told := filter.Conditions{{Field: filter.Payment, Op: filter.Equal, Type: filter.Text, Text: payment}}
	n := 0
	for key := int64(0); ; {
		found, err := m.view.DeliveriesAfter(ctx, key, told, eraseAtOnce)
		if err != nil || len(found) == 0 {
			return n, err
		}
		places := make([]ledger.Place, len(found))
		for i, d := range found {
			places[i] = ledger.Place{Sequence: d.Sequence, Index: d.Index}
		}
		if err := m.ring.Forget(ctx, places...); err != nil {
			return n, err
		}
		n += len(found)
		key = found[len(found)-1].Key()
	}
}
