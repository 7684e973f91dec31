// Package filter reads the filter expressions of lists: a subset of AIP-160,
// comparisons joined by AND. What it returns is checked: every field, operator
// and value is one that the list knows. Turning conditions into SQL is the
// view's business; matching an event in memory is done here.
package filter

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Field names what a list can be filtered by.
type Field string

// The fields. Which list knows which, Events, Payments and Deliveries say.
const (
	Provider            Field = "provider"
	Merchant            Field = "merchant"
	Mode                Field = "mode"
	Kind                Field = "kind"
	Direction           Field = "direction"
	Payment             Field = "payment"
	PaymentStatus       Field = "payment_status"
	RefundStatus        Field = "refund_status"
	DisputeStatus       Field = "dispute_status"
	ProofStatus         Field = "proof_status"
	Disposition         Field = "disposition"
	ProviderPaymentID   Field = "provider_payment_id"
	ProviderOperationID Field = "provider_operation_id"
	MerchantReference   Field = "merchant_reference"
	Delivery            Field = "delivery"
	ReceiveTime         Field = "receive_time"
	OccurTime           Field = "occur_time"
	UpdateTime          Field = "update_time"
	Cursor              Field = "cursor"
	QuarantineReason    Field = "quarantine_reason"
)

// AnyReason is the Number of a condition that asks for any quarantine reason.
const AnyReason = -1

// Op is a comparison.
type Op uint8

// The comparisons.
const (
	Equal Op = iota + 1
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	// OneOf is not written in a filter: it is how a caller is held to what it may
	// see. The value of a text field is one of Condition.Texts.
	OneOf
)

// String returns the operator as it is written in a filter.
func (o Op) String() string {
	switch o {
	case Equal:
		return "="
	case NotEqual:
		return "!="
	case Less:
		return "<"
	case LessEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterEqual:
		return ">="
	case OneOf:
		return "IN"
	}
	return "?"
}

// Type says which member of a condition holds its value.
type Type uint8

// The types of fields. A field that a message leaves out is "" when it is text
// and 0 when it is an enum; a time that is left out compares as false.
const (
	Text   Type = iota + 1 // Condition.Text
	Enum                   // Condition.Number: the enum's number, 0 for "not set"
	Number                 // Condition.Number
	Time                   // Condition.Number: nanoseconds since 1970 in UTC
)

// Condition is one comparison.
type Condition struct {
	Field  Field
	Op     Op
	Type   Type
	Text   string
	Number int64
	Texts  []string // of OneOf; none is nothing
}

// Conditions hold together: all of them must be true. None means everything.
type Conditions []Condition

// Error says what is wrong with a filter, and where.
type Error struct {
	Position int    // the byte offset in the filter, from 0
	Problem  string // for people; names the field or operator
}

// Error returns the position and the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("at byte %d: %s", e.Position, e.Problem)
}

// Nanos returns t as nanoseconds since 1970, the form in which times are
// compared. ok is false when t is nil. Times outside of 1678 to 2261 become
// the nearest such time; Parse refuses to compare with times out there.
func Nanos(t *timestamppb.Timestamp) (nanos int64, ok bool) {
	if t == nil {
		return 0, false
	}
	switch s := t.GetSeconds(); {
	case s < minSeconds:
		return minSeconds * int64(time.Second), true
	case s >= maxSeconds:
		return maxSeconds * int64(time.Second), true
	default:
		return s*int64(time.Second) + int64(t.GetNanos()), true
	}
}

// What fits in int64 nanoseconds, cut to whole years: 1678-01-01 to 2262-01-01.
const (
	minSeconds = -9214560000
	maxSeconds = 9214646400
)
