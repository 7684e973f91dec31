package filter_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/filter"
)

func TestDeliveriesAreFilteredByWhatBecameOfThem(t *testing.T) {
	for in, want := range map[string]filter.Conditions{
		`quarantine_reason = "UNMAPPED" AND payment = "payments/p1"`: {
			{Field: filter.QuarantineReason, Op: filter.Equal, Type: filter.Enum, Number: int64(eventv1.QuarantineReason_QUARANTINE_REASON_UNMAPPED)},
			{Field: filter.Payment, Op: filter.Equal, Type: filter.Text, Text: "payments/p1"},
		},
		`quarantine_reason = "*" AND mode != test`: {
			{Field: filter.QuarantineReason, Op: filter.Equal, Type: filter.Enum, Number: filter.AnyReason},
			{Field: filter.Mode, Op: filter.NotEqual, Type: filter.Enum, Number: int64(eventv1.Mode_MODE_TEST)},
		},
	} {
		got, err := filter.Deliveries().Parse(in)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
	for in, position := range map[string]int{
		`payment != "payments/p1"`:       8,
		`quarantine_reason != unmapped`:  18,
		`quarantine_reason = "nonsense"`: 20,
		`mode = "*"`:                     7,
		`payment_status = PAID`:          0,
	} {
		var wrong *filter.Error
		if _, err := filter.Deliveries().Parse(in); !errors.As(err, &wrong) || wrong.Position != position {
			t.Errorf("%s gives %v, want an error at byte %d", in, err, position)
		}
	}
}
