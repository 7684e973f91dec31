package singleview

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxText is how many bytes an ID or a code may have.
const maxText = 256

// element is one entry of a batch. Its members come as texts or as numbers: the
// field table says text, the sample shows numbers.
type element struct {
	payload.Value
	service, company string
}

// The ways in which an element cannot be published, other than a member that cannot be read.
var (
	errUnmapped      = errors.New("in no row of the mapping table")
	errContradiction = errors.New("status says completed, approval_status says rejected")
)

// item never fails: an element that cannot be read is quarantined.
func (e element) item(t table) provider.Item {
	fact, err := e.fact(t)
	switch {
	case err == nil:
		return provider.Item{Fact: fact}
	case errors.Is(err, errUnmapped):
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED, err.Error())
	case errors.Is(err, errContradiction):
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_CONTRADICTION, err.Error())
	case errors.Is(err, money.ErrAmount):
		return provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT, err.Error())
	default:
		return invalid(err)
	}
}

func (e element) fact(t table) (*provider.Fact, error) {
	if e.Kind() != payload.Object {
		return nil, errors.New("the element is not an object")
	}
	m, codes, err := e.mapping(t)
	if err != nil {
		return nil, err
	}
	payID, err := id(e.Value, "payId", true)
	if err != nil {
		return nil, err
	}
	svRefID, err := id(e.Value, "svRefId", false)
	if err != nil {
		return nil, err
	}
	seqNum, err := id(e.Value, "seqNum", false)
	if err != nil {
		return nil, err
	}
	event := m.event()
	event.ProviderPaymentId, event.ProviderAttemptId, event.ProviderAccountId = payID, svRefID, e.company
	event.ProviderType, event.ProviderStatus = e.service, strings.TrimSuffix(codes[0]+"/"+codes[1], "/")
	charge, err := e.setAmounts(event)
	if err != nil {
		return nil, err
	}
	if err := e.setTime(event); err != nil {
		return nil, err
	}
	return &provider.Fact{
		Event:   event,
		Key:     []string{e.service, e.company, payID, svRefID, seqNum, codes[0], codes[1], minor(event.GetAmount()), minor(charge)},
		Payment: []string{e.company, payID},
	}, nil
}

// mapping returns the row for the element's codes, and the codes: status and approval_status.
func (e element) mapping(t table) (m row, codes [2]string, err error) {
	status, ok := e.Get("status").Scalar()
	if !ok {
		return row{}, codes, fmt.Errorf("status is missing or not a code: %w", errUnmapped)
	}
	approval, ok := e.Get("approval_status").Scalar()
	if !ok && e.Get("approval_status").Present() || !knownApproval(approval) {
		return row{}, codes, fmt.Errorf("approval_status: %w", errUnmapped)
	}
	m, ok = t.find(status, approval)
	if !ok {
		return row{}, codes, fmt.Errorf("status: %w", errUnmapped)
	}
	if m.contradiction {
		return row{}, codes, errContradiction
	}
	return m, [2]string{status, approval}, nil
}

// setAmounts sets amount and fee, and returns chargeAmount, which is a fee only
// where the service is about charges and the bank posted it.
func (e element) setAmounts(event *eventv1.PaymentStatusChanged) (charge *eventv1.Money, err error) {
	if event.Amount, err = e.amount("amount"); err != nil {
		return nil, err
	}
	if charge, err = e.amount("chargeAmount"); err != nil {
		return nil, err
	}
	if e.service == chargeService {
		posted, err := e.chargePosted()
		if err != nil {
			return nil, err
		}
		if posted {
			event.Fee = charge
		}
	}
	if event.Amount != nil || event.Fee != nil {
		event.CurrencySource = eventv1.CurrencySource_CURRENCY_SOURCE_PAYLOAD
	}
	return charge, nil
}

// chargePosted reads bankCharges: Y is posted, N is not.
func (e element) chargePosted() (bool, error) {
	v := e.Get("bankCharges")
	word, ok := v.Text()
	switch {
	case ok && word == "Y":
		return true, nil
	case !v.Present(), ok && (word == "N" || word == ""):
		return false, nil
	}
	return false, fmt.Errorf("bankCharges: %w", errUnmapped)
}

// amount reads an amount in major units of the element's currency; nil when it is not there.
func (e element) amount(name string) (*eventv1.Money, error) {
	v := e.Get(name)
	if text, ok := v.Text(); !v.Present() || ok && text == "" {
		return nil, nil
	}
	text, ok := v.Scalar()
	if !ok {
		return nil, fmt.Errorf("%s: %w: neither a text nor a number", name, money.ErrAmount)
	}
	currency, _ := e.Get("currency").Text()
	m, err := money.Parse(text, currency)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func (e element) setTime(event *eventv1.PaymentStatusChanged) error {
	const name = "txnDate"
	v := e.Get(name)
	text, ok := v.Text()
	if !v.Present() || ok && text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || timestamppb.New(at).CheckValid() != nil {
		return fmt.Errorf("%s is not an instant of RFC 3339", name)
	}
	event.OccurTime = timestamppb.New(at)
	event.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
	event.OccurTimeMember = name
	return nil
}

// id reads a member that identifies something, as it is written.
func id(v payload.Value, name string, required bool) (string, error) {
	member := v.Get(name)
	s, ok := member.Scalar()
	if !ok && member.Present() {
		return "", fmt.Errorf("%s is neither a text nor a number", name)
	}
	if s == "" && required {
		return "", fmt.Errorf("%s is missing", name)
	}
	if len(s) > maxText {
		return "", fmt.Errorf("%s is longer than %d bytes", name, maxText)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return "", fmt.Errorf("%s has control characters", name)
	}
	return s, nil
}

// minor is an amount as it stands in a key.
func minor(m *eventv1.Money) string {
	if m == nil {
		return ""
	}
	return strconv.FormatInt(m.GetMinorUnits(), 10)
}
