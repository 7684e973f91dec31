package clip_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) {
	providertest.BenchmarkVerify(b, suite(), "card_payment_completed")
}

func BenchmarkNormalize(b *testing.B) {
	providertest.BenchmarkNormalize(b, suite(), "card_payment_completed")
}
