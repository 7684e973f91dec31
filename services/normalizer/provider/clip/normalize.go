package clip

import (
	"errors"
	"fmt"
	"strings"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxText is how many bytes an ID or a reference may have.
const maxText = 256

// Normalize implements [provider.Adapter]. A delivery holds one item.
func (a Adapter) Normalize(_ provider.Delivery, plaintext []byte) provider.Result {
	body, err := payload.ParseObject(plaintext)
	if err != nil {
		return one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, err.Error()))
	}
	if !body.Get("resource").Present() {
		return a.withoutResource(body)
	}
	r := provider.Result{Drift: a.documented.Drift(body)}
	fact, err := a.notification(body)
	if err != nil {
		r.Items = []provider.Item{quarantined(err)}
		return r
	}
	r.Items = []provider.Item{{Fact: fact}}
	return r
}

func one(item provider.Item) provider.Result {
	return provider.Result{Items: []provider.Item{item}}
}

var errUnmapped = errors.New("resource and resource_status are in no row of the mapping table")

// quarantined is the item of a notification that cannot be published for the reason err.
func quarantined(err error) provider.Item {
	if errors.Is(err, errUnmapped) {
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, err.Error())
	}
	return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, err.Error())
}

// withoutResource is what becomes of a notification in another shape.
func (a Adapter) withoutResource(body payload.Value) provider.Result {
	s, ok := findShape(body)
	if !ok {
		r := one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "resource is missing, and the shape is none that is known"))
		r.Drift = a.documented.Drift(body)
		return r
	}
	r := one(provider.Quarantined(s.reason, s.detail))
	if s.documented {
		r.Drift = a.thin.Drift(body)
	}
	return r
}

// notification reads the full notification of the Checkout API.
func (a Adapter) notification(body payload.Value) (*provider.Fact, error) {
	resource, _ := body.Get("resource").Text()
	status, _ := body.Get("resource_status").Text()
	paymentType, _ := body.Get("payment_type").Text()
	m, ok := a.table.find(resource, status, paymentType)
	if !ok {
		return nil, errUnmapped
	}
	payment, err := text(body, "payment_request_id")
	if err == nil && payment == "" {
		err = errors.New("payment_request_id is missing")
	}
	if err != nil {
		return nil, err
	}
	attempt, err := text(body, "transaction_id")
	if err != nil {
		return nil, err
	}
	reference, err := text(body, "me_reference_id")
	if err != nil {
		return nil, err
	}
	e := m.event()
	if err := setTime(e, body, m.times); err != nil {
		return nil, err
	}
	e.ProviderPaymentId, e.ProviderAttemptId, e.MerchantReference = payment, attempt, reference
	e.Method = method(paymentType)
	return &provider.Fact{
		Event:   e,
		Key:     []string{payment, attempt, resource, status},
		Payment: []string{payment},
	}, nil
}

// event returns what the row says.
func (r row) event() *eventv1.PaymentStatusChanged {
	e := &eventv1.PaymentStatusChanged{
		Kind:             eventv1.Kind_KIND_PAYMENT,
		Direction:        eventv1.Direction_DIRECTION_INBOUND,
		Status:           &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: r.payment},
		ActionBy:         r.actionBy,
		ProviderType:     r.resource,
		ProviderStatus:   r.status,
		Operation:        r.operation,
		OperationOutcome: r.outcome,
	}
	if r.resource == refund {
		e.Kind = eventv1.Kind_KIND_REFUND
		e.Status = &eventv1.PaymentStatusChanged_RefundStatus{RefundStatus: r.refunded}
	}
	if r.reason != "" {
		e.Reason = &eventv1.Reason{Code: r.reason}
	}
	return e
}

// setTime takes the instant from the first of members that is there; without
// one the event has none.
func setTime(e *eventv1.PaymentStatusChanged, body payload.Value, members []string) error {
	for _, name := range members {
		written, err := text(body, name)
		if err != nil {
			return err
		}
		if written == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, written)
		if err != nil || timestamppb.New(at).CheckValid() != nil {
			return fmt.Errorf("%s is not an instant of RFC 3339", name)
		}
		e.OccurTime = timestamppb.New(at)
		e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		e.OccurTimeMember = name
		return nil
	}
	return nil
}

// text reads a member that may be missing, null or empty, all of which give "".
func text(body payload.Value, name string) (string, error) {
	v := body.Get(name)
	if !v.Present() {
		return "", nil
	}
	s, ok := v.Text()
	if !ok {
		return "", fmt.Errorf("%s is not a text", name)
	}
	if len(s) > maxText {
		return "", fmt.Errorf("%s is longer than %d bytes", name, maxText)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return "", fmt.Errorf("%s has control characters", name)
	}
	return s, nil
}
