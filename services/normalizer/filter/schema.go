package filter

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Schema is what one list can be filtered by.
type Schema struct {
	fields map[Field]Type
}

// Events is the schema of ListEvents and WatchEvents.
func Events() Schema {
	return Schema{fields: map[Field]Type{
		Provider: Text, Merchant: Text, Payment: Text, ProviderPaymentID: Text,
		ProviderOperationID: Text, MerchantReference: Text, Delivery: Text,
		Mode: Enum, Kind: Enum, Direction: Enum, Disposition: Enum, PaymentStatus: Enum,
		RefundStatus: Enum, DisputeStatus: Enum, ProofStatus: Enum,
		ReceiveTime: Time, OccurTime: Time, Cursor: Number,
	}}
}

// Payments is the schema of ListPayments.
func Payments() Schema {
	return Schema{fields: map[Field]Type{
		Provider: Text, Merchant: Text, ProviderPaymentID: Text, MerchantReference: Text,
		Mode: Enum, Direction: Enum, PaymentStatus: Enum, ProofStatus: Enum,
		UpdateTime: Time,
	}}
}

// allows says whether fields of type t can be compared with op. Texts and
// enums have no order; a time or number is compared by where it lies.
func (t Type) allows(op Op) bool {
	if t == Text || t == Enum {
		return op == Equal || op == NotEqual
	}
	return op != NotEqual
}

// operators lists what fields of type t can be compared with, for people.
func (t Type) operators() string {
	if t == Text || t == Enum {
		return "= and !="
	}
	return "=, <, <=, > and >="
}

// enumNumber finds the value of the enum behind f that word names, with or
// without the enum's prefix, in upper or lower case.
func enumNumber(f Field, word string) (int64, bool) {
	values := enumOf(f).Values()
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	name := protoreflect.Name(strings.ToUpper(word))
	v := values.ByName(name)
	if v == nil {
		v = values.ByName(protoreflect.Name(prefix) + name)
	}
	if v == nil {
		return 0, false
	}
	return int64(v.Number()), true
}

func enumOf(f Field) protoreflect.EnumDescriptor {
	switch f {
	case Mode:
		return eventv1.Mode(0).Descriptor()
	case Kind:
		return eventv1.Kind(0).Descriptor()
	case Direction:
		return eventv1.Direction(0).Descriptor()
	case Disposition:
		return eventv1.Disposition(0).Descriptor()
	case RefundStatus:
		return eventv1.RefundStatus(0).Descriptor()
	case DisputeStatus:
		return eventv1.DisputeStatus(0).Descriptor()
	case ProofStatus:
		return eventv1.ProofStatus(0).Descriptor()
	default:
		return eventv1.PaymentStatus(0).Descriptor()
	}
}
