package filter

import (
	"cmp"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// Match says whether all conditions hold for e.
func (c Conditions) Match(e *eventv1.PaymentStatusChanged) bool {
	for i := range c {
		if !c[i].match(e) {
			return false
		}
	}
	return true
}

func (c *Condition) match(e *eventv1.PaymentStatusChanged) bool {
	if c.Op == OneOf {
		return slices.Contains(c.Texts, text(c.Field, e))
	}
	if c.Type == Text {
		return (text(c.Field, e) == c.Text) == (c.Op == Equal)
	}
	n, ok := number(c.Field, e)
	if !ok {
		return false
	}
	switch order := cmp.Compare(n, c.Number); c.Op {
	case Equal:
		return order == 0
	case NotEqual:
		return order != 0
	case Less:
		return order < 0
	case LessEqual:
		return order <= 0
	case Greater:
		return order > 0
	default:
		return order >= 0
	}
}

func text(f Field, e *eventv1.PaymentStatusChanged) string {
	switch f {
	case Provider:
		return e.GetProvider()
	case Merchant:
		return e.GetMerchant()
	case Payment:
		return e.GetPayment()
	case ProviderPaymentID:
		return e.GetProviderPaymentId()
	case ProviderOperationID:
		return e.GetProviderOperationId()
	case MerchantReference:
		return e.GetMerchantReference()
	default:
		return e.GetDelivery()
	}
}

// number returns what enums, numbers and times are compared by. ok is false
// for a time that the event leaves out.
func number(f Field, e *eventv1.PaymentStatusChanged) (n int64, ok bool) {
	switch f {
	case Mode:
		return int64(e.GetMode()), true
	case Kind:
		return int64(e.GetKind()), true
	case Direction:
		return int64(e.GetDirection()), true
	case Disposition:
		return int64(e.GetDisposition()), true
	case PaymentStatus:
		return int64(e.GetPaymentStatus()), true
	case RefundStatus:
		return int64(e.GetRefundStatus()), true
	case DisputeStatus:
		return int64(e.GetDisputeStatus()), true
	case ProofStatus:
		return int64(e.GetProofStatus()), true
	case ReceiveTime:
		return Nanos(e.GetReceiveTime())
	case OccurTime:
		return Nanos(e.GetOccurTime())
	default:
		return e.GetCursor(), true
	}
}
