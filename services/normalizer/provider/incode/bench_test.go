package incode_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) { providertest.BenchmarkVerify(b, suite(), "documented_sample") }

func BenchmarkNormalize(b *testing.B) {
	providertest.BenchmarkNormalize(b, suite(), "documented_sample")
}
