package aciopp_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func FuzzVerify(f *testing.F) { providertest.FuzzVerify(f, suite()) }

func FuzzNormalize(f *testing.F) { providertest.FuzzNormalize(f, suite()) }
