package singleview_test

import (
	"net/url"
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
