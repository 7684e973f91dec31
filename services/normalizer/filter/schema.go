package filter

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Schema is what one list can be filtered by.
type Schema struct {
	fields map[Field]Type
	// equal are fields that are found by their value only, so that != is not served.
	equal map[Field]bool
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

// Deliveries is the schema of ListDeliveries and ReprocessDeliveries.
func Deliveries() Schema {
	return Schema{
		fields: map[Field]Type{
			Provider: Text, Merchant: Text, Mode: Enum, ReceiveTime: Time, Payment: Text, QuarantineReason: Enum,
		},
		equal: map[Field]bool{Payment: true, QuarantineReason: true},
	}
}

// names lists the fields, for people.
func (s Schema) names() string {
	var all []string
	for f := range s.fields {
		all = append(all, string(f))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// operatorsOf lists what a field can be compared with, for people.
func (s Schema) operatorsOf(f Field) string {
	if s.equal[f] {
		return "="
	}
	return s.fields[f].operators()
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
	if f == QuarantineReason && word == "*" {
		return AnyReason, true
	}
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

// enumWords lists the values of the enum behind f without their prefix, for people.
func enumWords(f Field) string {
	values := enumOf(f).Values()
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	var all []string
	for i := 1; i < values.Len(); i++ {
		all = append(all, strings.TrimPrefix(string(values.Get(i).Name()), prefix))
	}
	return strings.Join(all, ", ")
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
	case QuarantineReason:
		return eventv1.QuarantineReason(0).Descriptor()
	default:
		return eventv1.PaymentStatus(0).Descriptor()
	}
}
