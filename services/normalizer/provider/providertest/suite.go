// Package providertest is the conformance suite of provider adapters: what
// every adapter must do, checked over the cases of its own testdata folder.
//
// A case is a folder testdata/<situation> with three files. body is the clear
// body as the provider would write it, byte for byte. delivery.json says where
// it is documented and when it came; see Delivery. result.golden.json is what
// Normalize must return; "go test -golden" writes it, people review it.
package providertest

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Suite says how one provider's deliveries are made.
type Suite struct {
	// Adapter is the adapter under test.
	Adapter provider.Adapter
	// Keys holds two live keys of the provider's main scheme: a rotation.
	Keys provider.Keys
	// Sign makes d what the provider would send for the clear body plaintext: it
	// sets d.Body (encrypted where the provider encrypts) and adds headers and
	// query. Keys 0 and 1 are those in Keys, any other number is a key that is
	// not configured. A scheme that signs the time signs d.ReceivedAt.
	Sign func(t testing.TB, d *provider.Delivery, plaintext []byte, key int)
	// SignedHeaders names, in lower case, the headers that Sign adds and that
	// prove authenticity. Of the query, the parameter "token" proves it.
	SignedHeaders []string
	// SignsBody says that the scheme covers the body: a flipped byte must be refused.
	SignsBody bool
	// SignsTime says that the scheme covers the time: an hour early or late must be refused.
	SignsTime bool
}

// Run checks everything over all cases below testdata.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("descriptor", func(t *testing.T) { checkDescriptor(t, s) })
	cases := load(t, s.Adapter)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Run("result", func(t *testing.T) { checkResult(t, s, c) })
			t.Run("pure", func(t *testing.T) { checkPure(t, s, c) })
			t.Run("truncated", func(t *testing.T) { checkTruncated(t, s, c) })
			t.Run("unknown_member", func(t *testing.T) { checkUnknownMember(t, s, c) })
			t.Run("accepted", func(t *testing.T) { checkAccepted(t, s, c) })
			t.Run("refused", func(t *testing.T) { checkRefused(t, s, c) })
		})
	}
	t.Run("mappings", func(t *testing.T) { checkMappings(t, s.Adapter, cases) })
}
