package money_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/money"
	"google.golang.org/protobuf/testing/protocmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		claim, text, currency string
		minor                 int64
		exponent              int32
	}{
		{"binary floats would miss thirty cents", "0.30", "MXN", 30, 2},
		{"every cent is kept", "1962.36", "MXN", 196236, 2},
		{"a missing decimal place is a zero", "150.1", "BRL", 15010, 2},
		{"no fraction at all", "150", "SAR", 15000, 2},
		{"three decimals where the currency has three", "1.234", "BHD", 1234, 3},
		{"the smallest unit of three decimals", "0.005", "KWD", 5, 3},
		{"a currency without minor units", "1962", "CLP", 1962, 0},
		{"a currency with four decimals", "0.0001", "CLF", 1, 4},
		{"surplus zeros lose nothing", "10.000", "MXN", 1000, 2},
		{"surplus zeros of a currency without minor units", "10.00", "JPY", 10, 0},
		{"many surplus zeros", "1." + strings.Repeat("0", 60), "MXN", 100, 2},
		{"leading zeros lose nothing", "00.00", "MXN", 0, 2},
		{"zero is an amount", "0", "MXN", 0, 2},
		{"the largest amount", "92233720368547758.07", "MXN", math.MaxInt64, 2},
		{"the largest amount without minor units", "9223372036854775807", "JPY", math.MaxInt64, 0},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := money.Parse(tt.text, tt.currency)
			if err != nil {
				t.Fatal(err)
			}
			want := &eventv1.Money{CurrencyCode: tt.currency, MinorUnits: tt.minor, Exponent: tt.exponent}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("Parse(%q) differs (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ claim, text, currency string }{
		{"a surplus digit", "0.305", "MXN"},
		{"a surplus digit behind zeros", "1.00000000001", "MXN"},
		{"a fraction of a currency without minor units", "10.5", "JPY"},
		{"four decimals where the currency has three", "1.2345", "BHD"},
		{"one more than int64", "92233720368547758.08", "MXN"},
		{"one more than int64 without minor units", "9223372036854775808", "JPY"},
		{"an overflow by the currency's zeros", "92233720368547759", "MXN"},
		{"26 digits", "12345678901234567890123456", "MXN"},
		{"26 digits with a fraction", "123456789012345678901234.56", "MXN"},
		{"an exponent", "1e3", "MXN"},
		{"an exponent in capitals", "1E3", "MXN"},
		{"minus zero", "-0", "MXN"},
		{"a minus", "-1.00", "MXN"},
		{"a plus", "+1.00", "MXN"},
		{"an empty text", "", "MXN"},
		{"only a dot", ".", "MXN"},
		{"nothing before the dot", ".50", "MXN"},
		{"nothing behind the dot", "1.", "MXN"},
		{"two dots", "1.2.3", "MXN"},
		{"a decimal comma", "1,50", "MXN"},
		{"grouping", "1,962.36", "MXN"},
		{"a currency sign", "$1.00", "MXN"},
		{"a blank before", " 1.00", "MXN"},
		{"a blank behind", "1.00 ", "MXN"},
		{"hexadecimal", "0x10", "MXN"},
		{"underscores", "1_000", "MXN"},
		{"not a number", "NaN", "MXN"},
		{"digits that are not ASCII", "١٢٣", "MXN"},
		{"text", "abc", "MXN"},
		{"no currency", "1.00", ""},
		{"a currency in lower case", "1.00", "mxn"},
		{"a currency that is not in ISO 4217", "1.00", "ZZZ"},
		{"gold, which has no minor unit", "1.00", "XAU"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := money.Parse(tt.text, tt.currency)
			if !errors.Is(err, money.ErrAmount) {
				t.Fatalf("Parse(%q, %q) = %v, %v; want ErrAmount", tt.text, tt.currency, got, err)
			}
			if len(tt.text) > 2 && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error tells the value: %v", err)
			}
		})
	}
}

func TestParseGrouped(t *testing.T) {
	tests := []struct {
		claim, text string
		minor       int64
	}{
		{"peso sign and groups", "$1,962.36", 196236},
		{"groups without a sign", "1,962.36", 196236},
		{"two groups", "$12,345,678.90", 1234567890},
		{"no groups", "$1962.36", 196236},
		{"groups without a fraction", "1,962", 196200},
		{"a zero", "$0.00", 0},
		{"six decimals of zeros", "1,962.360000", 196236},
		{"a blank behind the sign", "$ 1,962.36", 196236},
		{"no-break blanks around", "\u00a0$\u00a01,962.36\u202f", 196236},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := money.ParseGrouped(tt.text, "MXN")
			if err != nil || got.GetMinorUnits() != tt.minor {
				t.Errorf("ParseGrouped(%q) = %v, %v; want %d", tt.text, got, err, tt.minor)
			}
		})
	}
}

func TestParseGroupedRefuses(t *testing.T) {
	tests := []struct{ claim, text string }{
		{"European grouping", "$1.962,36"},
		{"a decimal comma", "1962,36"},
		{"a group of two digits", "1,96"},
		{"a group of four digits", "1,9623"},
		{"a long first group", "1962,360"},
		{"an empty first group", ",962"},
		{"an empty group", "1,,962"},
		{"a comma at the end", "1,962,"},
		{"a comma in the fraction", "1.962,360"},
		{"two signs", "$$1"},
		{"a sign behind", "1$"},
		{"another currency's sign", "€1"},
		{"a minus", "-$1.00"},
		{"a minus behind the sign", "$-1.00"},
		{"only a sign", "$"},
		{"an empty text", ""},
		{"a blank between digits", "1 962.36"},
		{"letters in a group", "1,9a2"},
		{"a surplus digit", "$1,962.365"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			if got, err := money.ParseGrouped(tt.text, "MXN"); !errors.Is(err, money.ErrAmount) {
				t.Errorf("ParseGrouped(%q) = %v, %v; want ErrAmount", tt.text, got, err)
			}
		})
	}
}

// The codes on which tables disagree in practice, beside the common ones.
func TestExponent(t *testing.T) {
	want := map[string]int32{
		"MXN": 2, "BRL": 2, "USD": 2, "EUR": 2, "SAR": 2, "COP": 2, "IDR": 2, "MGA": 2, "MRU": 2, "XCG": 2, "ZWG": 2, "VED": 2,
		"CLP": 0, "JPY": 0, "PYG": 0, "UGX": 0, "ISK": 0, "UYI": 0, "XOF": 0,
		"BHD": 3, "KWD": 3, "OMR": 3, "IQD": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	}
	for currency, exponent := range want {
		if got, ok := money.Exponent(currency); !ok || got != exponent {
			t.Errorf("Exponent(%q) = %d, %v; want %d", currency, got, ok, exponent)
		}
	}
	for _, none := range []string{"", "mxn", "XXX", "XTS", "XAU", "XDR", "BTC", "MX", "MXNN"} {
		if got, ok := money.Exponent(none); ok {
			t.Errorf("Exponent(%q) = %d; want none", none, got)
		}
	}
}
