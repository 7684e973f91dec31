// Package scheme holds the ways to authenticate a webhook that several
// providers share, and the rule by which an endpoint's schemes combine.
package scheme

import (
	"fmt"
	"slices"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Proof is one scheme that held.
type Proof struct {
	Scheme    provider.SchemeKind
	KeyID     string
	Coverage  eventv1.Coverage
	Plaintext []byte // what the body says in clear; nil when the scheme encrypts nothing
}

// Check is a provider's own scheme. used is false when keys hold no key for it;
// then it neither proves nor refuses. Errors wrap provider.ErrNotAuthentic or
// provider.ErrUndecodable.
type Check func(d provider.Delivery, keys provider.Keys) (proof Proof, used bool, err error)

// Verify authenticates d: every kind of scheme that keys has keys for must
// hold, the shared ones first because they are cheap, then those of the
// provider. OAuth2 and Headers are alternatives of each other. Keys of a kind
// that neither the shared schemes nor checks look at would be a silent hole;
// the endpoint configuration refuses them by Descriptor.Schemes.
func Verify(d provider.Delivery, keys provider.Keys, checks ...Check) (provider.Verified, error) {
	var proofs []Proof
	for _, check := range slices.Concat([]Check{sourceIP, clientCertificate, urlToken, bearerOrHeader}, checks) {
		proof, used, err := check(d, keys)
		if err != nil {
			return provider.Verified{}, err
		}
		if used {
			proofs = append(proofs, proof)
		}
	}
	if len(proofs) == 0 {
		if !keys.None {
			return provider.Verified{}, fmt.Errorf("%w: the endpoint has no keys", provider.ErrNotAuthentic)
		}
		proofs = []Proof{{Scheme: provider.SchemeNone, Coverage: eventv1.Coverage_COVERAGE_NONE}}
	}
	return combine(d, proofs), nil
}

// combine reports all schemes that held and the key of the last one: the
// provider's own scheme where it has one.
func combine(d provider.Delivery, proofs []Proof) provider.Verified {
	v := provider.Verified{Plaintext: d.Body}
	var names []string
	for _, p := range proofs {
		names = append(names, string(p.Scheme))
		v.KeyID = p.KeyID
		v.Coverage = max(v.Coverage, p.Coverage)
		if p.Plaintext != nil {
			v.Plaintext = p.Plaintext
		}
	}
	v.Scheme = strings.Join(names, "+")
	return v
}
