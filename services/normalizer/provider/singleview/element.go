package singleview

import (
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
)

// element is one entry of a batch. Its members come as texts or as numbers: the
// field table says text, the sample shows numbers.
type element struct {
	payload.Value
	service, company string
}

// item never fails: an element that cannot be read is quarantined.
func (e element) item(t table) provider.Item {
	switch e.Kind() {
	case payload.Object:
	case payload.Repeated:
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, "a member name of the element occurs twice")
	default:
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD, "the element is not an object")
	}
	var r member.Reader
	m, codes := e.mapping(&r, t)
	payID := r.Text(e.Value, "payId", member.Required)
	svRefID := r.Text(e.Value, "svRefId", member.Optional)
	seqNum := r.Text(e.Value, "seqNum", member.Optional)
	event := m.event()
	charge := e.setAmounts(&r, event)
	e.setTime(&r, event)
	if kept, bad := r.Problem(e.payment(payID)...); bad {
		if m.contradiction {
			kept.Row = m.shown
		}
		return kept
	}
	event.ProviderPaymentId, event.ProviderAttemptId, event.ProviderAccountId = payID, svRefID, e.company
	event.ProviderType, event.ProviderStatus = e.service, strings.TrimSuffix(codes[0]+"/"+codes[1], "/")
	return provider.Item{Row: m.shown, Fact: &provider.Fact{
		Event: event,
		Key: []string{
			e.service, e.company, payID, svRefID, seqNum, codes[0], codes[1], money.Minor(event.GetAmount()), money.Minor(charge),
		},
		Payment: e.payment(payID),
	}}
}

// payment is what identifies the payment of an ID. A batch may name no company.
func (e element) payment(payID string) []string {
	if e.company == "" {
		return []string{payID}
	}
	return []string{e.company, payID}
}

// mapping returns the row for the element's codes, and the codes: status and approval_status.
func (e element) mapping(r *member.Reader, t table) (m row, codes [2]string) {
	const unmapped = eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED
	status, ok := e.Get("status").Scalar()
	if !ok {
		r.Refuse(unmapped, "status is missing or not a code: in no row of the mapping table")
		return row{}, codes
	}
	approval, ok := e.Get("approval_status").Scalar()
	if !ok && e.Get("approval_status").Present() || !knownApproval(approval) {
		r.Refuse(unmapped, "approval_status: in no row of the mapping table")
		return row{}, codes
	}
	m, ok = t.find(status, approval)
	switch {
	case !ok:
		r.Refuse(unmapped, "status: in no row of the mapping table")
	case m.contradiction:
		r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION, "status says completed, approval_status says rejected")
	}
	return m, [2]string{status, approval}
}

// setAmounts sets amount and fee, and returns chargeAmount, which is a fee only
// where the service is about charges and the bank posted it.
func (e element) setAmounts(r *member.Reader, event *eventv1.PaymentStatusChanged) (charge *eventv1.Money) {
	currency, _ := e.Get("currency").Text()
	event.Amount = r.Amount(e.Value, "amount", currency)
	charge = r.Amount(e.Value, "chargeAmount", currency)
	if e.service == chargeService && e.chargePosted(r) {
		event.Fee = charge
	}
	if event.Amount != nil || event.Fee != nil {
		event.CurrencySource = eventv1.CurrencySource_CURRENCY_SOURCE_PAYLOAD
	}
	return charge
}

// chargePosted reads bankCharges: Y is posted, N is not.
func (e element) chargePosted(r *member.Reader) bool {
	v := e.Get("bankCharges")
	word, ok := v.Text()
	switch {
	case ok && word == "Y":
		return true
	case !v.Present(), ok && (word == "N" || word == ""):
		return false
	}
	r.Refuse(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, "bankCharges: neither Y nor N")
	return false
}

func (e element) setTime(r *member.Reader, event *eventv1.PaymentStatusChanged) {
	const name = "txnDate"
	if at := r.Instant(e.Value, name); at != nil {
		event.OccurTime = at
		event.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		event.OccurTimeMember = name
	}
}
