package money_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/money"
)

// FuzzParse checks every accepted amount against exact rational arithmetic, and
// that an amount written out again reads as the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"0.30", "1962.36", "1.234", "10.000", "92233720368547758.07", "1e3", "-0", "$1,962.36", "$1.962,36", "00.00", ""} {
		for _, currency := range []string{"MXN", "BHD", "CLP", "CLF", "ZZZ"} {
			f.Add(text, currency)
		}
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		m, err := money.Parse(text, currency)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || strings.ContainsAny(text, "eEpPxX_/+- ") {
			t.Fatalf("Parse took %q, which is no plain decimal", text)
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.GetExponent())), nil)
		if got := new(big.Rat).SetFrac(big.NewInt(m.GetMinorUnits()), scale); got.Cmp(want) != 0 {
			t.Errorf("Parse(%q, %q) = %s, want %s", text, currency, got, want)
		}
		again, err := money.Parse(want.FloatString(int(m.GetExponent())), currency)
		if err != nil || again.GetMinorUnits() != m.GetMinorUnits() {
			t.Errorf("written out and read again: %v, %v; want %d", again, err, m.GetMinorUnits())
		}
	})
}

// FuzzParseGrouped checks that groups and sign change nothing but the writing.
func FuzzParseGrouped(f *testing.F) {
	for _, text := range []string{"$1,962.36", "1962.36", "$1.962,36", "1,96", "\u00a0$ 1", "1,234,567"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := money.ParseGrouped(text, "MXN")
		if err != nil {
			return
		}
		plain, err := money.Parse(strings.NewReplacer("$", "", ",", "").Replace(strings.Map(func(r rune) rune {
			if strings.ContainsRune("$,.0123456789", r) {
				return r
			}
			return -1
		}, text)), "MXN")
		if err != nil || plain.GetMinorUnits() != m.GetMinorUnits() {
			t.Errorf("ParseGrouped(%q) = %v; the digits alone give %v, %v", text, m, plain, err)
		}
	})
}
