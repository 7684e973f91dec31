package filter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

const eventFields = "cursor, delivery, direction, disposition, dispute_status, kind, merchant, merchant_reference, mode, occur_time, payment, payment_status, proof_status, provider, provider_operation_id, provider_payment_id, receive_time, refund_status"

func TestFilterIsReadIntoCheckedConditions(t *testing.T) {
	noon := time.Date(2025, 1, 31, 12, 0, 0, 5, time.UTC).UnixNano()
	tests := []struct {
		name, in string
		want     filter.Conditions
	}{
		{"nothing is no condition", "", nil},
		{"white space is no condition", " \t\n ", nil},
		{
			"conditions are joined by AND", `provider = "clip" AND merchant!='acme'`,
			filter.Conditions{
				{Field: filter.Provider, Op: filter.Equal, Type: filter.Text, Text: "clip"},
				{Field: filter.Merchant, Op: filter.NotEqual, Type: filter.Text, Text: "acme"},
			},
		},
		{
			"a word needs no quotes", `provider=aci-opp`,
			filter.Conditions{{Field: filter.Provider, Op: filter.Equal, Type: filter.Text, Text: "aci-opp"}},
		},
		{
			"quotes are escaped and everything else is taken as it stands", `merchant_reference = "a \"b\" \\ AND ü' "`,
			filter.Conditions{{Field: filter.MerchantReference, Op: filter.Equal, Type: filter.Text, Text: `a "b" \ AND ü' `}},
		},
		{
			"an enum value without its prefix", `payment_status = "PAID"`,
			filter.Conditions{{Field: filter.PaymentStatus, Op: filter.Equal, Type: filter.Enum, Number: int64(eventv1.PaymentStatus_PAYMENT_STATUS_PAID)}},
		},
		{
			"an enum value with its prefix", `payment_status != PAYMENT_STATUS_PAID`,
			filter.Conditions{{Field: filter.PaymentStatus, Op: filter.NotEqual, Type: filter.Enum, Number: int64(eventv1.PaymentStatus_PAYMENT_STATUS_PAID)}},
		},
		{
			"an enum value in lower case", `mode = "live" AND disposition = no_change`,
			filter.Conditions{
				{Field: filter.Mode, Op: filter.Equal, Type: filter.Enum, Number: int64(eventv1.Mode_MODE_LIVE)},
				{Field: filter.Disposition, Op: filter.Equal, Type: filter.Enum, Number: int64(eventv1.Disposition_DISPOSITION_NO_CHANGE)},
			},
		},
		{
			"times and cursors have an order", `receive_time >= "2025-01-31T09:00:00.000000005-03:00" AND cursor<42`,
			filter.Conditions{
				{Field: filter.ReceiveTime, Op: filter.GreaterEqual, Type: filter.Time, Number: noon},
				{Field: filter.Cursor, Op: filter.Less, Type: filter.Number, Number: 42},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := filter.Events().Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestErrorsNameTheFieldOrOperatorAndItsPosition(t *testing.T) {
	events, payments := filter.Events(), filter.Payments()
	tests := []struct {
		name   string
		schema filter.Schema
		in     string
		want   filter.Error
	}{
		{"unknown field", events, ` amount = 5`, filter.Error{Position: 1, Problem: `unknown field "amount"; there are ` + eventFields}},
		{"field of the other list", events, `update_time > "2025-01-01T00:00:00Z"`, filter.Error{Problem: `unknown field "update_time"; there are ` + eventFields}},
		{"field of the other list", payments, `cursor > 1`, filter.Error{Problem: `unknown field "cursor"; there are direction, merchant, merchant_reference, mode, payment_status, proof_status, provider, provider_payment_id, update_time`}},
		{"text has no order", events, `provider < "clip"`, filter.Error{Position: 9, Problem: `operator < does not apply to field "provider", which takes = and !=`}},
		{"times have no !=", events, `receive_time != "2025-01-01T00:00:00Z"`, filter.Error{Position: 13, Problem: `operator != does not apply to field "receive_time", which takes =, <, <=, > and >=`}},
		{"has-operator", events, `provider:clip`, filter.Error{Position: 8, Problem: `field "provider" needs one of = and !=`}},
		{"doubled operator", events, `provider == clip`, filter.Error{Position: 9, Problem: `field "provider" needs one of = and !=`}},
		{"no operator", events, `provider`, filter.Error{Position: 8, Problem: `field "provider" needs one of = and !=`}},
		{"no value", events, `provider = `, filter.Error{Position: 11, Problem: `a value is missing`}},
		{"open quote", events, `provider = "clip`, filter.Error{Position: 11, Problem: `the closing quote is missing`}},
		{"unknown escape", events, `provider = "cl\n"`, filter.Error{Position: 14, Problem: `a backslash may stand before ", ' and \ only`}},
		{"bytes that are not UTF-8", events, "provider = '\xff'", filter.Error{Position: 11, Problem: `the text is not UTF-8`}},
		{"trailing AND", events, `provider = clip AND `, filter.Error{Position: 20, Problem: `a field name is missing`}},
		{"OR", events, `provider = clip OR provider = incode`, filter.Error{Position: 16, Problem: `operator OR is not supported`}},
		{"lower-case and", events, `provider = clip and mode = live`, filter.Error{Position: 16, Problem: `AND is missing`}},
		{"NOT", events, `NOT provider = clip`, filter.Error{Problem: `NOT, - and parentheses are not supported`}},
		{"parenthesis", events, `(provider = clip)`, filter.Error{Problem: `NOT, - and parentheses are not supported`}},
		{"closing parenthesis", events, `provider = clip)`, filter.Error{Position: 15, Problem: `AND is missing`}},
		{"unknown enum value", events, `payment_status = "UNKNOWN"`, filter.Error{Position: 17, Problem: `field "payment_status": unknown value "UNKNOWN"; there are PENDING, REQUIRES_ACTION, PROCESSING, AUTHORIZED, PAID, SETTLED, FAILED, CANCELED, EXPIRED, REVERSED`}},
		{"value of another enum", events, `refund_status = PAID`, filter.Error{Position: 16, Problem: `field "refund_status": unknown value "PAID"; there are PENDING, SUCCEEDED, FAILED, CANCELED`}},
		{"cursor that is no number", events, `cursor > 1.5`, filter.Error{Position: 9, Problem: `field "cursor": "1.5" is not an integer`}},
		{"cursor beyond 64 bits", events, `cursor > 9223372036854775808`, filter.Error{Position: 9, Problem: `field "cursor": "9223372036854775808" is not an integer`}},
		{"time without a zone", events, `receive_time > "2025-01-01T00:00:00"`, filter.Error{Position: 15, Problem: `field "receive_time": "2025-01-01T00:00:00" is not a time like 2025-01-31T15:04:05Z`}},
		{"time out of reach", events, `occur_time < "2500-01-01T00:00:00Z"`, filter.Error{Position: 13, Problem: `field "occur_time": "2500-01-01T00:00:00Z" is not between 1678 and 2261`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.schema.Parse(tt.in)
			got, ok := errors.AsType[*filter.Error](err)
			if !ok {
				t.Fatalf("Parse(%q) = %v, want a *filter.Error", tt.in, err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestConditionsMatchEvents(t *testing.T) {
	at := time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC)
	e := &eventv1.PaymentStatusChanged{
		Provider: "clip", Merchant: "acme", Mode: eventv1.Mode_MODE_LIVE, Kind: eventv1.Kind_KIND_PAYMENT,
		Direction: eventv1.Direction_DIRECTION_INBOUND, Payment: "payments/p1", ProviderPaymentId: "pp1",
		ProviderOperationId: "op1", MerchantReference: "order 7", Delivery: "deliveries/d1",
		Status:      &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_PAID},
		Disposition: eventv1.Disposition_DISPOSITION_APPLIED, ReceiveTime: timestamppb.New(at), Cursor: 42,
	}
	tests := []struct {
		in   string
		want bool
	}{
		{``, true},
		{`provider = clip AND merchant = acme AND mode = live AND kind = payment AND direction = inbound`, true},
		{`payment = "payments/p1" AND provider_payment_id = pp1 AND provider_operation_id = op1`, true},
		{`merchant_reference = "order 7" AND delivery = "deliveries/d1"`, true},
		{`payment_status = paid AND disposition = applied`, true},
		{`provider = clip AND merchant = other`, false},
		{`provider != clip`, false},
		{`provider != incode`, true},
		{`payment_status != paid`, false},
		{`refund_status != pending AND dispute_status != won AND proof_status != verified`, true},
		{`refund_status = unspecified`, true},
		{`refund_status = pending`, false},
		{`receive_time = "2025-01-31T12:00:00Z"`, true},
		{`receive_time < "2025-01-31T12:00:00Z"`, false},
		{`receive_time <= "2025-01-31T12:00:00Z"`, true},
		{`receive_time > "2025-01-31T11:59:59.999999999Z"`, true},
		{`receive_time >= "2025-01-31T12:00:00.000000001Z"`, false},
		{`cursor > 41 AND cursor < 43 AND cursor = 42`, true},
		{`cursor >= 43`, false},
		{`occur_time > "1700-01-01T00:00:00Z"`, false},
		{`occur_time < "2200-01-01T00:00:00Z"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			c, err := filter.Events().Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Match(e); got != tt.want {
				t.Errorf("Match = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestTimesOutsideOfTheComparableYearsBecomeTheNearest(t *testing.T) {
	last := time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	if got, _ := filter.Nanos(&timestamppb.Timestamp{Seconds: 253402300799, Nanos: 7}); got != last {
		t.Errorf("the year 9999 is %d, want %d", got, last)
	}
	first := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	if got, _ := filter.Nanos(&timestamppb.Timestamp{Seconds: -62135596800, Nanos: 7}); got != first {
		t.Errorf("the year 1 is %d, want %d", got, first)
	}
	if _, ok := filter.Nanos(nil); ok {
		t.Error("an absent time has a value")
	}
}

func FuzzParseNeitherPanicsNorPointsOutside(f *testing.F) {
	f.Add(`provider = "clip" AND receive_time > "2025-01-01T00:00:00Z"`)
	f.Add(`merchant_reference='a\'b' AND cursor<=-1`)
	f.Add(`payment_status != "\`)
	f.Fuzz(func(t *testing.T, in string) {
		_, err := filter.Events().Parse(in)
		if e, ok := errors.AsType[*filter.Error](err); ok && (e.Position < 0 || e.Position > len(in)) {
			t.Errorf("Parse(%q) points at byte %d", in, e.Position)
		}
	})
}
