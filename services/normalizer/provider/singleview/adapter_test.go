package singleview_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
	"github.com/paynorm/paynorm/services/normalizer/provider/singleview"
)

func TestConformance(t *testing.T) { providertest.Run(t, suite()) }

func suite() providertest.Suite {
	secrets := []provider.Secret{"first-test-secret", "second+test/secret=", "never-configured"}
	return providertest.Suite{
		Adapter: singleview.New(),
		Keys: provider.Keys{URLTokens: []provider.SecretKey{
			{ID: "url_token-1", Value: secrets[0]},
			{ID: "url_token-2", Value: secrets[1]},
		}},
		Sign: func(_ testing.TB, d *provider.Delivery, plaintext []byte, key int) {
			d.RawQuery = url.Values{"token": {string(secrets[key])}}.Encode()
			d.Body = plaintext
		},
	}
}

func TestOversizedBatchIsOneQuarantinedItem(t *testing.T) {
	batch := func(n int) []byte {
		return []byte(`{"service":"svWebHookPaymentStatus","companyCode":"SV0001","payments":[` + strings.TrimSuffix(strings.Repeat("1,", n), ",") + `]}`)
	}
	for n, want := range map[int]int{10_000: 10_000, 10_001: 1} {
		items := singleview.New().Normalize(provider.Delivery{}, batch(n)).Items
		if len(items) != want || items[0].Quarantine == nil {
			t.Errorf("%d elements give %d items, want %d quarantined ones", n, len(items), want)
		}
	}
}
