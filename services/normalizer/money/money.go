// Package money reads exact amounts: decimal text and a currency in, minor
// units out. No floats, no rounding, no guessing.
package money

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// ErrAmount says that a text is not an exact amount of the currency: not plain
// digits with at most one dot, more decimal places than the currency has (other
// than zeros), beyond int64, or in a currency that ISO 4217 does not list.
var ErrAmount = errors.New("not an exact amount")

// Parse reads text such as "1962.36" or "10.000" as an amount of currency, an
// upper-case ISO 4217 code. Surplus zeros are fine; signs, exponents, grouping
// and blanks are not. Errors wrap ErrAmount and never contain text.
func Parse(text, currency string) (*eventv1.Money, error) {
	exponent, ok := Exponent(currency)
	if !ok {
		return nil, fmt.Errorf("%w: the currency is not in ISO 4217", ErrAmount)
	}
	whole, fraction, dot := strings.Cut(text, ".")
	if !digits(whole) || dot && !digits(fraction) {
		return nil, fmt.Errorf("%w: want digits with at most one dot", ErrAmount)
	}
	if surplus := len(fraction) - int(exponent); surplus > 0 {
		if strings.Trim(fraction[exponent:], "0") != "" {
			return nil, fmt.Errorf("%w: %s has %d decimal places", ErrAmount, currency, exponent)
		}
		fraction = fraction[:exponent]
	}
	minor, ok := accumulate(0, whole)
	if ok {
		minor, ok = accumulate(minor, fraction)
	}
	if ok {
		minor, ok = accumulate(minor, "0000"[:int(exponent)-len(fraction)])
	}
	if !ok {
		return nil, fmt.Errorf("%w: larger than %d minor units", ErrAmount, int64(math.MaxInt64))
	}
	return &eventv1.Money{CurrencyCode: currency, MinorUnits: minor, Exponent: exponent}, nil
}

// ParseGrouped reads an amount as Mexican tax documents print it: an optional
// peso sign, then digits that may be grouped in threes by commas, then an
// optional fraction after a dot, as in "$1,962.36". Blanks, also no-break ones,
// around the sign and at the ends are ignored. Errors wrap ErrAmount.
func ParseGrouped(text, currency string) (*eventv1.Money, error) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "$"); ok {
		text = strings.TrimSpace(rest)
	}
	whole, fraction, dot := strings.Cut(text, ".")
	groups := strings.Split(whole, ",")
	if len(groups) > 1 {
		for i, g := range groups {
			if i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3) {
				return nil, fmt.Errorf("%w: want groups of three digits between commas", ErrAmount)
			}
		}
	}
	plain := strings.Join(groups, "")
	if dot {
		plain += "." + fraction
	}
	return Parse(plain, currency)
}

// Minor writes the minor units of m as digits, for idempotency keys; "" when m is nil.
func Minor(m *eventv1.Money) string {
	if m == nil {
		return ""
	}
	return strconv.FormatInt(m.GetMinorUnits(), 10)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func accumulate(n int64, digits string) (int64, bool) {
	for i := range len(digits) {
		d := int64(digits[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
