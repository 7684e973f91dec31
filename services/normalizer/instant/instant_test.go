package instant_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/instant"
)

func TestParseTakes(t *testing.T) {
	tests := []struct {
		claim, text string
		want        time.Time
	}{
		{"RFC 3339 in UTC", "2024-06-02T11:12:13Z", time.Date(2024, 6, 2, 11, 12, 13, 0, time.UTC)},
		{"milliseconds", "2024-08-13T19:26:53.123Z", time.Date(2024, 8, 13, 19, 26, 53, 123e6, time.UTC)},
		{"nanoseconds", "2024-08-13T19:26:53.123456789Z", time.Date(2024, 8, 13, 19, 26, 53, 123456789, time.UTC)},
		{"a zone with a colon", "2024-06-02T11:12:13-03:00", time.Date(2024, 6, 2, 14, 12, 13, 0, time.UTC)},
		{"a blank, and a zone without a colon", "2020-09-08 17:51:59+0000", time.Date(2020, 9, 8, 17, 51, 59, 0, time.UTC)},
		{"a zone east of it", "2020-09-08 17:51:59.5+0530", time.Date(2020, 9, 8, 12, 21, 59, 5e8, time.UTC)},
		{"a leap day", "2024-02-29T00:00:00Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"the year of the zone's day", "2023-12-31T23:30:00-01:00", time.Date(2024, 1, 1, 0, 30, 0, 0, time.UTC)},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := instant.Parse(tt.text)
			if err != nil || !got.Equal(tt.want) || got.Location() != time.UTC {
				t.Errorf("Parse(%q) = %v, %v; want %v", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ claim, text string }{
		{"nothing", ""},
		{"a local time", "2021-06-19T10:31:14"},
		{"a local time with a blank", "2020-11-11 21:33:03"},
		{"a local time with a fraction", "2020-11-11 21:33:03.0000"},
		{"a date", "2024-02-15"},
		{"a date and a zone", "2024-02-15Z"},
		{"seconds since 1970", "1717326733"},
		{"the name of a zone", "2024-06-02T11:12:13 CST"},
		{"half a zone", "2024-06-02T11:12:13+03"},
		{"a zone of 24 hours", "2024-06-02T11:12:13+24:00"},
		{"a zone of 60 minutes", "2024-06-02 11:12:13+0060"},
		{"an hour of one digit", "2024-06-02T1:12:13Z"},
		{"a comma before the fraction", "2024-06-02T11:12:13,5Z"},
		{"no seconds", "2024-06-02T11:12Z"},
		{"the 30th of February", "2024-02-30T11:12:13Z"},
		{"a leap day of another year", "2023-02-29T11:12:13Z"},
		{"hour 24", "2024-06-02T24:00:00Z"},
		{"the day before the month", "02-06-2024T11:12:13Z"},
		{"year 0", "0000-06-02T11:12:13Z"},
		{"year 0 in UTC", "0001-01-01T00:00:00+01:00"},
		{"year 10000 in UTC", "9999-12-31T23:59:59-01:00"},
		{"a blank before", " 2024-06-02T11:12:13Z"},
		{"a blank behind", "2024-06-02T11:12:13Z "},
		{"a blank before the zone", "2024-06-02T11:12:13 +0000"},
		{"a zone without a time", "2024-06-02 +0000"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := instant.Parse(tt.text)
			if !errors.Is(err, instant.ErrInstant) || !got.IsZero() {
				t.Errorf("Parse(%q) = %v, %v; want ErrInstant", tt.text, got, err)
			}
			if err != nil && len(tt.text) > 4 && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}
