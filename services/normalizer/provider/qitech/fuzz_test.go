package qitech_test

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func FuzzVerify(f *testing.F) { providertest.FuzzVerify(f, suite(f)) }

func FuzzNormalize(f *testing.F) { providertest.FuzzNormalize(f, suite(f)) }
