package aciopp_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) { providertest.BenchmarkVerify(b, suite(), "cash_voucher_issued") }

func BenchmarkNormalize(b *testing.B) {
	providertest.BenchmarkNormalize(b, suite(), "cash_voucher_issued")
}
