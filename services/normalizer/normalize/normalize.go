// Package normalize turns a stored delivery into the items that it holds: it
// runs the adapter and completes what every provider's items have in common.
// The same delivery at the same place always gives the same items.
package normalize

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Item is one notification of a delivery. Exactly one of Event, Notice and Skip is set.
type Item struct {
	// Index is the item's place within the delivery, from 0.
	Index int
	// Event still lacks what the history of its payment says; see package payment.
	Event *eventv1.PaymentStatusChanged
	// IfPaid belongs to Event; see provider.Fact.
	IfPaid eventv1.PaymentStatus
	Notice *eventv1.QuarantineNotice
	Skip   *provider.Skip

	row, ifPaidRow *provider.Mapping
}

// Row returns the row of the adapter's mapping table that decided, nil when none
// did. published is the event that the item became, nil when it became none: what
// is known of the payment may have chosen between two rows. The row must not be changed.
func (it Item) Row(published *eventv1.PaymentStatusChanged) *provider.Mapping {
	if it.ifPaidRow != nil && published.GetPaymentStatus() == it.IfPaid {
		return it.ifPaidRow
	}
	return it.row
}

// Normalizer knows the adapters. It has no other state.
type Normalizer struct {
	adapters map[string]known
}

type known struct {
	adapter provider.Adapter
	version int32 // of the mapping table
}

// New returns a normalizer of the providers of adapters.
func New(adapters []provider.Adapter) *Normalizer {
	n := &Normalizer{adapters: make(map[string]known, len(adapters))}
	for _, a := range adapters {
		about := a.Describe()
		n.adapters[about.ID] = known{adapter: a, version: about.MappingVersion}
	}
	return n
}

// Items returns the items of d in the order of its body, and the names of
// members that the provider's documentation does not know.
func (n *Normalizer) Items(d *ledgerv1.Delivery, at Place) (items []Item, drift []string) {
	plaintext := d.GetBody()
	if d.Plaintext != nil {
		plaintext = d.GetPlaintext()
	}
	how := n.adapters[d.GetProvider()]
	result := run(how.adapter, delivery(d), plaintext)
	sum := sha256.Sum256(d.GetBody())
	c := completion{d: d, at: at, version: how.version, sha256: hex.EncodeToString(sum[:])}
	items = make([]Item, 0, len(result.Items))
	for i, it := range result.Items {
		item := c.item(i, it)
		item.Index = i
		items = append(items, item)
	}
	return items, result.Drift
}

// run shields the projector from a fault in an adapter: the delivery is kept and
// shows up in the quarantine, and all others go on.
func run(a provider.Adapter, d provider.Delivery, plaintext []byte) (result provider.Result) {
	if a == nil {
		return provider.Result{Items: []provider.Item{provider.Quarantined(
			eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "this paynorm has no adapter for the provider")}}
	}
	defer func() {
		if fault := recover(); fault != nil {
			result = provider.Result{Items: []provider.Item{provider.Quarantined(
				eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, "the adapter failed on this body: a bug in paynorm")}}
		}
	}()
	return a.Normalize(d, plaintext)
}

type completion struct {
	d       *ledgerv1.Delivery
	at      Place
	version int32
	sha256  string
}

func (c completion) item(i int, it provider.Item) Item {
	switch {
	case it.Fact != nil:
		if account := it.Fact.Event.GetProviderAccountId(); len(c.d.GetExpectAccounts()) > 0 && !slices.Contains(c.d.GetExpectAccounts(), account) {
			return Item{Notice: c.notice(i, provider.Quarantine{
				Reason:  eventv1.QuarantineReason_QUARANTINE_REASON_ACCOUNT_MISMATCH,
				Detail:  "the account in the payload is not in the endpoint's expect_accounts",
				Payment: it.Fact.Payment, Mode: it.Fact.Event.GetMode(),
			})}
		}
		return Item{Event: c.event(i, it.Fact), IfPaid: it.Fact.IfPaid, row: it.Row, ifPaidRow: it.Fact.IfPaidRow}
	case it.Quarantine != nil:
		return Item{Notice: c.notice(i, *it.Quarantine), row: it.Row}
	default:
		return Item{Skip: it.Skip, row: it.Row}
	}
}

func (c completion) event(i int, f *provider.Fact) *eventv1.PaymentStatusChanged {
	e := f.Event
	e.Provider, e.Merchant = c.d.GetProvider(), c.d.GetMerchant()
	if e.GetMode() == eventv1.Mode_MODE_UNSPECIFIED {
		e.Mode = c.d.GetMode()
	}
	e.Name = EventName(e, f.Key)
	e.Payment = PaymentName(e, f.Payment)
	if e.GetOccurTime() == nil {
		e.OccurTime, e.OccurTimeSource, e.OccurTimeMember = c.d.GetReceiveTime(), eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_RECEIVED, ""
	}
	e.ReceiveTime, e.CommitTime = c.d.GetReceiveTime(), c.at.CommitTime
	e.Verification = c.d.GetVerification()
	e.Delivery, e.RawSha256 = c.at.Delivery(), c.sha256
	e.MappingVersion, e.LedgerPosition = c.version, c.at.Item(i)
	return e
}

func (c completion) notice(i int, q provider.Quarantine) *eventv1.QuarantineNotice {
	return &eventv1.QuarantineNotice{
		Name:     fmt.Sprintf("quarantined/q%d-%d-%d", c.at.Sequence, c.at.Index, i),
		Provider: c.d.GetProvider(), Merchant: c.d.GetMerchant(), Mode: c.d.GetMode(),
		Reason: q.Reason, Detail: q.Detail, Payment: c.paymentOf(q),
		Delivery: c.at.Delivery(), ReceiveTime: c.d.GetReceiveTime(),
		MappingVersion: c.version, LedgerPosition: c.at.Item(i),
	}
}

// paymentOf returns the name that the payment of q has in events; "" when q knows none.
func (c completion) paymentOf(q provider.Quarantine) string {
	if len(q.Payment) == 0 {
		return ""
	}
	e := &eventv1.PaymentStatusChanged{Provider: c.d.GetProvider(), Merchant: c.d.GetMerchant(), Mode: q.Mode}
	if q.Mode == eventv1.Mode_MODE_UNSPECIFIED {
		e.Mode = c.d.GetMode()
	}
	return PaymentName(e, q.Payment)
}

func delivery(d *ledgerv1.Delivery) provider.Delivery {
	addr, _ := netip.ParseAddr(d.GetRemoteAddress())
	return provider.Delivery{
		Provider: d.GetProvider(), Merchant: d.GetMerchant(), Mode: d.GetMode(),
		Method: d.GetMethod(), Path: d.GetPath(), RawQuery: d.GetRawQuery(),
		Headers: provider.Headers(d.GetHeaders()), Body: d.GetBody(), RemoteAddr: addr, ReceivedAt: d.GetReceiveTime().AsTime(),
	}
}

// ReasonWord is the word of a quarantine reason in headers, logs and metrics,
// for example "invalid_amount".
func ReasonWord(r eventv1.QuarantineReason) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "QUARANTINE_REASON_"))
}

// DispositionWord is the word of a disposition in logs and metrics, for example "applied".
func DispositionWord(d eventv1.Disposition) string {
	return strings.ToLower(strings.TrimPrefix(d.String(), "DISPOSITION_"))
}
