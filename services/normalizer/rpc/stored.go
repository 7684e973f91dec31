package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// errErased says that the content of a delivery was erased, and nothing can be made of it.
var errErased = errors.New("the content of the delivery was erased")

// errUnreadable says that the ledger does not answer. For a reader that is another
// thing than a delivery that could not be made durable.
var errUnreadable = errors.New("the ledger cannot be read")

// LedgerReader reads commits; see ledger.Ledger.
type LedgerReader interface {
	// Get returns a commit. Errors wrap ledger.ErrNotKept, among others.
	Get(ctx context.Context, sequence int64) (*ledgerv1.Commit, error)
}

// stored is a delivery as the ledger holds it.
type stored struct {
	*ledgerv1.Delivery
	at normalize.Place
}

// shelf reads the deliveries of one call. It keeps the last commit: neighbors in
// a list often share one.
type shelf struct {
	ledger LedgerReader
	last   *ledgerv1.Commit
}

// delivery returns the delivery at a place. Errors wrap view.ErrNotFound when the
// ledger does not hold it, or no longer.
func (s *shelf) delivery(ctx context.Context, at normalize.Place) (stored, error) {
	if s.last.GetOrdinal() != at.Sequence || s.last == nil {
		c, err := s.ledger.Get(ctx, at.Sequence)
		if errors.Is(err, ledger.ErrNotKept) {
			return stored{}, fmt.Errorf("%s: %w: %w", at.Delivery(), view.ErrNotFound, err)
		}
		if ctx.Err() != nil {
			return stored{}, ctx.Err()
		}
		if errors.Is(err, ledger.ErrUnavailable) {
			return stored{}, fmt.Errorf("%s: %w: %w", at.Delivery(), errUnreadable, err)
		}
		if err != nil {
			return stored{}, err
		}
		s.last = c
	}
	if at.Index >= len(s.last.GetDeliveries()) {
		return stored{}, fmt.Errorf("%s: %w", at.Delivery(), view.ErrNotFound)
	}
	at.CommitTime = s.last.GetCommitTime()
	d := s.last.GetDeliveries()[at.Index]
	if !access.From(ctx).Sees(d.GetProvider(), d.GetMerchant()) {
		return stored{}, fmt.Errorf("%s: %w: it belongs to a merchant that the caller does not see", at.Delivery(), view.ErrNotFound)
	}
	return stored{d, at}, nil
}

// named returns the delivery of a resource name. Errors as of delivery.
func (s *shelf) named(ctx context.Context, name string) (stored, error) {
	at, ok := normalize.ParseDelivery(name)
	if !ok {
		return stored{}, fmt.Errorf("%s: %w", name, view.ErrNotFound)
	}
	return s.delivery(ctx, at)
}

// content is named for callers that need the content. Errors also wrap errErased.
func (s *shelf) content(ctx context.Context, name string) (stored, error) {
	d, err := s.named(ctx, name)
	if err == nil && d.GetErased() {
		err = fmt.Errorf("%s: %w", name, errErased)
	}
	return d, err
}

// resource is the delivery as the API shows it, without outcomes.
func (s stored) resource(full bool) *normalizerv1.Delivery {
	out := &normalizerv1.Delivery{
		Name: s.at.Delivery(), Provider: s.GetProvider(), Merchant: s.GetMerchant(), Mode: s.GetMode(),
		ReceiveTime: s.GetReceiveTime(), CommitTime: s.at.CommitTime, Verification: s.GetVerification(),
		LedgerPosition: &eventv1.LedgerPosition{Sequence: s.at.Sequence, Delivery: int32(s.at.Index)},
		Kept:           true, Erased: s.GetErased(),
	}
	if s.GetErased() {
		return out
	}
	sum := sha256.Sum256(s.GetBody())
	out.RemoteAddress, out.RawSha256, out.BodySize = s.GetRemoteAddress(), hex.EncodeToString(sum[:]), int64(len(s.GetBody()))
	if !full {
		return out
	}
	out.Method, out.Path, out.RawQuery = s.GetMethod(), utf8Text(s.GetPath()), utf8Text(s.GetRawQuery())
	for _, h := range s.GetHeaders() {
		out.Headers = append(out.Headers, &normalizerv1.DeliveryHeader{Name: h.GetName(), Value: utf8Text(string(h.GetValue()))})
	}
	out.Body, out.Plaintext = s.GetBody(), s.Plaintext
	return out
}

// forgotten is a delivery that the ledger no longer keeps, by what the view knows.
func forgotten(d view.Delivery) *normalizerv1.Delivery {
	out := &normalizerv1.Delivery{Name: d.Name, Provider: d.Provider, Merchant: d.Merchant, Mode: d.Mode}
	if !d.ReceiveTime.IsZero() {
		out.ReceiveTime = timestamppb.New(d.ReceiveTime)
	}
	return out
}

func utf8Text(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// gone reports whether err says that there is no content to work with.
func gone(err error) bool { return errors.Is(err, view.ErrNotFound) || errors.Is(err, errErased) }
