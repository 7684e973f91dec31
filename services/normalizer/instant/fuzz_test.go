package instant_test

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/instant"
)

// FuzzParse checks that whatever is taken has a zone, is not taken without it,
// is the instant that the standard library reads, and is the same instant when
// it is written again in any of the forms that are read.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"2024-06-02T11:12:13Z", "2024-08-13T19:26:53.123Z", "2020-09-08 17:51:59+0000", "2019-01-16 19:00:25+0000",
		"2024-06-02T11:12:13-03:00", "2023-06-30T18:52:27.885731Z", "2021-06-19T10:31:14", "2020-11-11 21:33:03",
		"2024-02-15", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2024-06-02T24:00:00Z", "",
	} {
		f.Add(text)
	}
	zone := regexp.MustCompile(`(Z|[+-]\d\d:?\d\d)$`)
	layouts := []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700"}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := instant.Parse(text)
		if err != nil {
			if !errors.Is(err, instant.ErrInstant) {
				t.Errorf("error of no class: %v", err)
			}
			return
		}
		suffix := zone.FindString(text)
		if suffix == "" {
			t.Fatalf("%q has no zone", text)
		}
		if local, err := instant.Parse(text[:len(text)-len(suffix)]); err == nil {
			t.Errorf("%q is taken without its zone, as %v", text, local)
		}
		known := false
		for _, layout := range layouts {
			standard, err := time.Parse(layout, text)
			known = known || err == nil && standard.Equal(at)
		}
		if !known {
			t.Errorf("Parse(%q) = %v; the standard library reads something else", text, at)
		}
		for _, layout := range []string{
			"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999-07:00",
		} {
			written := at.Format(layout)
			if again, err := instant.Parse(written); err != nil || !again.Equal(at) {
				t.Errorf("%q, written as %q and read again: %v, %v", text, written, again, err)
			}
		}
	})
}
