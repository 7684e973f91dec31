package watch

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// limits is how much recent keeps. Events take about three times their encoded
// size in memory.
type limits struct {
	count int // events
	bytes int // of their encoded form
}

// recent is the newest events: all above from, in order.
type recent struct {
	limits
	from   int64
	events []entry
	first  int // where events begins; what stands before was dropped
	size   int // of all, in bytes
}

type entry struct {
	event *eventv1.PaymentStatusChanged
	size  int
}

// add appends events and drops the oldest that are too many.
func (r *recent) add(events []*eventv1.PaymentStatusChanged) {
	for _, e := range events {
		size := proto.Size(e)
		r.events = append(r.events, entry{e, size})
		r.size += size
		for len(r.events)-r.first > r.count || r.size > r.bytes {
			r.drop()
		}
	}
}

// drop forgets the oldest event. The room is used again when half is empty.
func (r *recent) drop() {
	oldest := &r.events[r.first]
	r.from = oldest.event.GetCursor()
	r.size -= oldest.size
	*oldest = entry{}
	if r.first++; r.first > len(r.events)/2 {
		n := copy(r.events, r.events[r.first:])
		clear(r.events[n:])
		r.events, r.first = r.events[:n], 0
	}
}

// after copies the events above cursor to into, as many as it holds, and
// returns how many. cursor must not be below from.
func (r *recent) after(cursor int64, into []*eventv1.PaymentStatusChanged) int {
	kept := r.events[r.first:]
	i, _ := slices.BinarySearchFunc(kept, cursor+1, func(e entry, c int64) int {
		return cmp.Compare(e.event.GetCursor(), c)
	})
	n := min(len(kept)-i, len(into))
	for j := range n {
		into[j] = kept[i+j].event
	}
	return n
}
