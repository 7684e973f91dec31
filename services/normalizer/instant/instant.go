// Package instant reads points in time as providers write them. A time without
// a zone is a local time: it is never read as an instant, because whose zone it
// is in would be a guess.
package instant

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrInstant says that a text is not a point in time.
var ErrInstant = errors.New("not an instant")

// Parse reads a date, "T" or a blank, a time of day with or without a fraction
// of a second, and a zone: RFC 3339, and the way in which some providers vary
// it, as in "2020-09-08 17:51:59+0000". The result is in UTC and within the
// years 1 to 9999; digits beyond the nanosecond are dropped. Errors wrap
// ErrInstant and never contain text.
func Parse(text string) (time.Time, error) {
	layout, ok := layoutOf(text)
	if !ok {
		return time.Time{}, fmt.Errorf("%w: want a date, a time and a zone as in 2006-01-02T15:04:05Z", ErrInstant)
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: a part is out of its range", ErrInstant)
	}
	t = t.UTC()
	if year := t.Year(); year < 1 || year > 9999 {
		return time.Time{}, fmt.Errorf("%w: the year is not between 1 and 9999", ErrInstant)
	}
	return t, nil
}

// layoutOf looks at the shape of text alone, because time.Parse takes more than
// RFC 3339: an hour of one digit, a comma before the fraction, a zone of 24 hours.
func layoutOf(text string) (layout string, ok bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(text) <= seconds {
		return "", false
	}
	layout = "2006-01-02T15:04:05"
	switch {
	case fits(text[:seconds], "0000-00-00T00:00:00"):
	case fits(text[:seconds], "0000-00-00 00:00:00"):
		layout = "2006-01-02 15:04:05"
	default:
		return "", false
	}
	zone := text[seconds:]
	if fraction, ok := strings.CutPrefix(zone, "."); ok {
		zone = strings.TrimLeft(fraction, "0123456789")
		if zone == fraction {
			return "", false
		}
	}
	switch {
	case zone == "Z":
		return layout + "Z07:00", true
	case fits(zone, "+00:00"), fits(zone, "-00:00"):
		return layout + "-07:00", zone[1:3] < "24" && zone[4:] < "60"
	case fits(zone, "+0000"), fits(zone, "-0000"):
		return layout + "-0700", zone[1:3] < "24" && zone[3:] < "60"
	}
	return "", false
}

// fits reports whether text is shape, with any digit where shape has a 0.
func fits(text, shape string) bool {
	if len(text) != len(shape) {
		return false
	}
	for i := range len(text) {
		if shape[i] == '0' && (text[i] < '0' || text[i] > '9') || shape[i] != '0' && text[i] != shape[i] {
			return false
		}
	}
	return true
}
