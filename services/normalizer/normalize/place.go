package normalize

import (
	"strconv"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Place is where a delivery stands in the ledger.
type Place struct {
	Sequence   int64 // of the commit
	Index      int   // of the delivery within the commit
	CommitTime *timestamppb.Timestamp
}

// beforePlace is what the names of deliveries begin with; the place follows.
const beforePlace = "deliveries/d"

// Delivery returns the delivery's resource name.
func (p Place) Delivery() string {
	b := append(make([]byte, 0, 40), beforePlace...)
	b = strconv.AppendInt(b, p.Sequence, 10)
	b = append(b, '-')
	return string(strconv.AppendInt(b, int64(p.Index), 10))
}

// ParseDelivery returns the place that the name of a delivery tells, without
// the commit time. ok is false when it is not the name of a delivery as
// Place.Delivery writes it.
func ParseDelivery(name string) (p Place, ok bool) {
	rest, ok := strings.CutPrefix(name, beforePlace)
	if !ok {
		return Place{}, false
	}
	sequence, index, ok := strings.Cut(rest, "-")
	if !ok {
		return Place{}, false
	}
	var err error
	if p.Sequence, err = strconv.ParseInt(sequence, 10, 64); err != nil || p.Sequence < 1 {
		return Place{}, false
	}
	if p.Index, err = strconv.Atoi(index); err != nil || p.Index < 0 {
		return Place{}, false
	}
	return p, p.Delivery() == name
}

// Item returns the place of the i-th item of the delivery, from 0.
func (p Place) Item(i int) *eventv1.LedgerPosition {
	return &eventv1.LedgerPosition{Sequence: p.Sequence, Delivery: int32(p.Index), Item: int32(i)}
}
