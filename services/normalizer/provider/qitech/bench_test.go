package qitech_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) { providertest.BenchmarkVerify(b, suite(b), "paid_in_full") }

func BenchmarkNormalize(b *testing.B) { providertest.BenchmarkNormalize(b, suite(b), "paid_in_full") }
