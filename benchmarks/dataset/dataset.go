// Package dataset makes up events in any number, for benchmarks and tests that
// need a store of a certain size.
package dataset

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// History makes up events as the projector hands them to the view: each payment is
// pending, then acted upon, then paid, with other payments in between. The same
// seed gives the same events. It belongs to one goroutine.
type History struct {
	random *rand.Rand
	cursor int64
	known  []*eventv1.PaymentStatusChanged // the last event of each payment
}

// New returns a history without events.
func New(seed uint64) *History { return &History{random: rand.New(rand.NewPCG(seed, seed))} }

// Time returns when the event of a cursor is received: one follows each millisecond.
func (h *History) Time(cursor int64) time.Time {
	return time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC).Add(time.Duration(cursor) * time.Millisecond)
}

// Last returns the last event of the payment that was begun last.
func (h *History) Last() *eventv1.PaymentStatusChanged { return h.known[len(h.known)-1] }

// Payments returns the names of n payments that have been applied.
func (h *History) Payments(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = h.known[h.random.IntN(len(h.known))].GetPayment()
	}
	return names
}

func (h *History) id(prefix string) string {
	var b [20]byte
	binary.LittleEndian.PutUint64(b[:], h.random.Uint64())
	binary.LittleEndian.PutUint64(b[8:], h.random.Uint64())
	return prefix + strings.ToLower(base32.HexEncoding.EncodeToString(b[:]))
}

// Batch makes up the next n events.
func (h *History) Batch(n int) view.Batch {
	b := view.Batch{States: map[string]*ledgerv1.PaymentState{}}
	for range n {
		h.cursor++
		e := h.next()
		b.Deliveries = append(b.Deliveries, view.Delivery{
			Provider: e.GetProvider(), Merchant: e.GetMerchant(), Mode: e.GetMode(), ReceiveTime: e.GetReceiveTime().AsTime(),
			Sequence: e.GetLedgerPosition().GetSequence(), Index: int(e.GetLedgerPosition().GetDelivery()),
		})
		b.Events = append(b.Events, e)
		b.States[e.GetPayment()] = &ledgerv1.PaymentState{
			Version:  e.GetPaymentVersion(),
			Machines: map[string]*ledgerv1.MachineState{"payment": {Last: e}},
		}
	}
	b.Cursor, b.LedgerSequence = h.cursor, h.cursor
	return b
}

func (h *History) next() *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind: eventv1.Kind_KIND_PAYMENT, Mode: eventv1.Mode_MODE_LIVE, Direction: eventv1.Direction_DIRECTION_INBOUND,
		ProviderStatus: "COMPLETED", ProviderType: "CHECKOUT", Disposition: eventv1.Disposition_DISPOSITION_APPLIED,
		Amount:       &eventv1.Money{CurrencyCode: "MXN", MinorUnits: h.random.Int64N(1e7), Exponent: 2},
		Method:       &eventv1.Method{Type: eventv1.MethodType_METHOD_TYPE_CARD, Brand: "VISA"},
		Verification: &eventv1.Verification{Scheme: "url_token", KeyId: "1", Coverage: eventv1.Coverage_COVERAGE_SENDER},
		RawSha256:    strings.Repeat("0123456789abcdef", 4), MappingVersion: 1,
	}
	old := len(h.known) - 1 - h.random.IntN(max(1, min(len(h.known), 2000)))
	if old >= 0 && h.random.IntN(3) > 0 && h.known[old].GetPaymentVersion() < 3 {
		was := h.known[old]
		e.Provider, e.Merchant, e.Payment = was.GetProvider(), was.GetMerchant(), was.GetPayment()
		e.ProviderPaymentId, e.MerchantReference = was.GetProviderPaymentId(), was.GetMerchantReference()
		e.PaymentVersion = was.GetPaymentVersion() + 1
		h.known[old] = e
	} else {
		e.Provider = []string{"clip", "qitech", "aci-opp"}[h.random.IntN(3)]
		e.Merchant = []string{"acme", "bolt"}[h.random.IntN(2)]
		e.Payment, e.PaymentVersion = h.id("payments/p"), 1
		e.ProviderPaymentId, e.MerchantReference = h.id("")[:24], fmt.Sprintf("order-%d", h.random.Int64N(1e12))
		h.known = append(h.known, e)
	}
	status := []eventv1.PaymentStatus{1, 2, 5}[e.GetPaymentVersion()-1]
	e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: status}
	e.Name, e.Cursor = h.id("events/e"), h.cursor
	e.LedgerPosition = &eventv1.LedgerPosition{Sequence: h.cursor/4 + 1, Delivery: int32(h.cursor % 4)}
	e.Delivery = normalize.Place{Sequence: h.cursor/4 + 1, Index: int(h.cursor % 4)}.Delivery()
	e.ProviderOperationId = fmt.Sprintf("op-%d", h.random.Int64())
	at := timestamppb.New(h.Time(h.cursor))
	e.ReceiveTime, e.CommitTime, e.OccurTime = at, at, at
	return e
}
