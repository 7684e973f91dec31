package qitech_test

import (
	"crypto/elliptic"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

func BenchmarkVerify(b *testing.B) { providertest.BenchmarkVerify(b, suite(b), "paid_in_full") }

// BenchmarkVerifyES512 uses the provider's algorithm, for which Go has no fast code.
func BenchmarkVerifyES512(b *testing.B) {
	s := suite(b)
	s.Keys = liveKeys(b)
	s.Sign = func(t testing.TB, d *provider.Delivery, plaintext []byte, key int) {
		t.Helper()
		d.Body = plaintext
		authorize(t, d, jwt.SigningMethodES512, elliptic.P521(), key)
	}
	providertest.BenchmarkVerify(b, s, "paid_in_full")
}

func BenchmarkNormalize(b *testing.B) { providertest.BenchmarkNormalize(b, suite(b), "paid_in_full") }
