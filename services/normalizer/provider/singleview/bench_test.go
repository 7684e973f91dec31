package singleview_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) { providertest.BenchmarkVerify(b, suite(), "paid_and_failed") }

func BenchmarkNormalize(b *testing.B) { providertest.BenchmarkNormalize(b, suite(), "paid_and_failed") }
