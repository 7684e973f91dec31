// Package witness reads what a paynorm has stored and published, the way its
// users do: from NATS and over the read API.
package witness

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"google.golang.org/protobuf/proto"

	"github.com/paynorm/paynorm/crash/internal/history"
)

// raw is the digest of a message as a subscriber gets it.
func raw(subject string, headers nats.Header, data []byte) history.Digest {
	h := sha256.New()
	part := func(b []byte) {
		fmt.Fprintf(h, "%d:", len(b))
		h.Write(b)
	}
	part([]byte(subject))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		part([]byte(name))
		for _, value := range headers[name] {
			part([]byte(value))
		}
	}
	part(data)
	return history.Digest(h.Sum(nil))
}

// content is the digest of an event, however it was encoded.
func content(e *eventv1.PaymentStatusChanged) (history.Digest, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	return history.Digest(sha256.Sum256(b)), err
}

func position(p *eventv1.LedgerPosition) history.Position {
	return history.Position{Commit: p.GetSequence(), Delivery: int(p.GetDelivery()), Item: int(p.GetItem())}
}
