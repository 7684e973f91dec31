package story

import (
	"strconv"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// word is an enum value without its prefix, for example "PAID".
func word(e protoreflect.Enum) string {
	d := e.Descriptor()
	prefix := strings.TrimSuffix(string(d.Values().ByNumber(0).Name()), "UNSPECIFIED")
	v := d.Values().ByNumber(e.Number())
	if v == nil { // from a later version
		return strconv.Itoa(int(e.Number()))
	}
	return strings.TrimPrefix(string(v.Name()), prefix)
}

// status is the word of the status that e's kind sets.
func status(e *eventv1.PaymentStatusChanged) string {
	switch e.GetKind() {
	case eventv1.Kind_KIND_REFUND:
		return word(e.GetRefundStatus())
	case eventv1.Kind_KIND_DISPUTE:
		return word(e.GetDisputeStatus())
	case eventv1.Kind_KIND_PROOF:
		return word(e.GetProofStatus())
	default:
		return word(e.GetPaymentStatus())
	}
}

// previous is the word of the status before e; "" when e is the first.
func previous(e *eventv1.PaymentStatusChanged) string {
	switch {
	case e.GetPreviousPaymentStatus() != 0:
		return word(e.GetPreviousPaymentStatus())
	case e.GetPreviousRefundStatus() != 0:
		return word(e.GetPreviousRefundStatus())
	case e.GetPreviousDisputeStatus() != 0:
		return word(e.GetPreviousDisputeStatus())
	case e.GetPreviousProofStatus() != 0:
		return word(e.GetPreviousProofStatus())
	}
	return ""
}

// priced is what has amounts: an event or a payment.
type priced interface {
	GetAmount() *eventv1.Money
	GetAmountPaid() *eventv1.Money
	GetAmountRefunded() *eventv1.Money
	GetFee() *eventv1.Money
}

// amounts lists the amounts that p states, as a sentence; "" when there is none.
func amounts(p priced) string {
	var parts []string
	for _, a := range []struct {
		label string
		money *eventv1.Money
	}{
		{"amount ", p.GetAmount()}, {"paid in all ", p.GetAmountPaid()},
		{"refunded in all ", p.GetAmountRefunded()}, {"fee ", p.GetFee()},
	} {
		if a.money != nil {
			parts = append(parts, a.label+amount(a.money))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + capital(strings.Join(parts, ", ")) + "."
}

// amount writes money in major units with all its decimal places, for example "1962.36 MXN".
func amount(m *eventv1.Money) string {
	digits, sign := strconv.FormatInt(m.GetMinorUnits(), 10), ""
	if m.GetMinorUnits() < 0 {
		digits, sign = digits[1:], "-"
	}
	if places := int(m.GetExponent()); places > 0 {
		if missing := places + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	return sign + digits + " " + m.GetCurrencyCode()
}

// instant writes a time in UTC, to the millisecond where it has them.
func instant(t *timestamppb.Timestamp) string {
	if t == nil {
		return "an unknown time"
	}
	return t.AsTime().UTC().Format("2006-01-02 15:04:05.999 UTC")
}
