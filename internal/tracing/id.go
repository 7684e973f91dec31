// Package tracing gives each delivery a trace of its own, from the HTTP edge to
// its events. The trace's ID is worked out from the delivery itself. So all parts
// of paynorm agree on it without handing it on, also across the ledger and
// across a restart, and a rebuilt event carries the same ID again.
package tracing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// ID identifies the trace of one delivery, and its first span.
type ID struct {
	Trace [16]byte
	Span  [8]byte
}

// OfDelivery returns the ID of the delivery that an endpoint received at a time.
// It does not depend on the content, which may have been erased.
func OfDelivery(provider, merchant string, receivedAt time.Time) ID {
	text := make([]byte, 0, 160)
	text = append(text, "paynorm.trace.v1\x00"...)
	text = append(text, provider...)
	text = append(text, 0)
	text = append(text, merchant...)
	text = append(text, 0)
	text = binary.BigEndian.AppendUint64(text, uint64(receivedAt.UnixNano()))
	sum := sha256.Sum256(text)
	var id ID
	copy(id.Trace[:], sum[:16])
	copy(id.Span[:], sum[16:24])
	return id
}

// Header returns the ID as a W3C traceparent header. sampled says whether the
// trace is sent to a collector.
func (i ID) Header(sampled bool) string {
	flags := "-00"
	if sampled {
		flags = "-01"
	}
	out := make([]byte, 0, 55)
	out = append(out, "00-"...)
	out = hex.AppendEncode(out, i.Trace[:])
	out = append(out, '-')
	out = hex.AppendEncode(out, i.Span[:])
	return string(append(out, flags...))
}
