package providertest

import (
	"net/netip"
	"testing"

	"buf.build/go/protovalidate"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// checkEvents completes the items as the normalizer does and validates what
// would be published.
func checkEvents(t testing.TB, a provider.Adapter, d provider.Delivery, plaintext []byte) {
	t.Helper()
	for i, it := range completed(a, d, plaintext) {
		if it.Event != nil {
			if err := protovalidate.Validate(it.Event); err != nil {
				t.Errorf("item %d: the event is not valid: %v", i, err)
			}
		}
		if it.Notice != nil {
			if err := protovalidate.Validate(it.Notice); err != nil {
				t.Errorf("item %d: the notice is not valid: %v", i, err)
			}
		}
	}
}

// completed is what the normalizer makes of d.
func completed(a provider.Adapter, d provider.Delivery, plaintext []byte) []normalize.Item {
	items, _ := normalize.New([]provider.Adapter{a}).Items(stored(d, plaintext), normalize.Place{Sequence: 1, CommitTime: timestamppb.New(d.ReceivedAt)})
	return items
}

// stored is d as it lies in the ledger.
func stored(d provider.Delivery, plaintext []byte) *ledgerv1.Delivery {
	l := &ledgerv1.Delivery{
		Provider:      d.Provider,
		Merchant:      d.Merchant,
		Mode:          d.Mode,
		Method:        d.Method,
		Path:          d.Path,
		RawQuery:      d.RawQuery,
		Body:          d.Body,
		Plaintext:     plaintext,
		RemoteAddress: d.RemoteAddr.String(),
		ReceiveTime:   timestamppb.New(d.ReceivedAt),
		Verification:  &eventv1.Verification{},
	}
	for _, h := range d.Headers {
		l.Headers = append(l.Headers, &ledgerv1.Header{Name: h.Name, Value: []byte(h.Value)})
	}
	return l
}

func equalAddr(a, b netip.Addr) bool { return a == b }
