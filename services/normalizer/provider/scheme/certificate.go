package scheme

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// clientCertificate checks the certificate that the sender has shown in the TLS
// handshake, at the time of receipt.
func clientCertificate(d provider.Delivery, keys provider.Keys) (Proof, bool, error) {
	if len(keys.Certificates) == 0 {
		return Proof{}, false, nil
	}
	if len(d.Certificates) == 0 {
		return Proof{}, true, fmt.Errorf("%w: the sender shows no client certificate", provider.ErrNotAuthentic)
	}
	chain := make([]*x509.Certificate, len(d.Certificates))
	for i, der := range d.Certificates {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return Proof{}, true, fmt.Errorf("%w: the client certificate cannot be read", provider.ErrNotAuthentic)
		}
		chain[i] = c
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	for _, k := range keys.Certificates {
		_, err := chain[0].Verify(x509.VerifyOptions{
			Roots: k.Roots, Intermediates: between, CurrentTime: d.ReceivedAt, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err == nil && named(chain[0], k.Names) {
			return Proof{Scheme: provider.SchemeClientCertificate, KeyID: k.ID, Coverage: eventv1.Coverage_COVERAGE_SENDER}, true, nil
		}
	}
	return Proof{}, true, fmt.Errorf("%w: the client certificate is not of the configured CA, has run out or has another name", provider.ErrNotAuthentic)
}

// named says whether the certificate has one of names, or names asks for none.
func named(c *x509.Certificate, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for _, name := range names {
		if slices.Contains(c.EmailAddresses, name) || slices.ContainsFunc(c.DNSNames, func(n string) bool { return strings.EqualFold(n, name) }) {
			return true
		}
		for _, u := range c.URIs {
			if u.String() == name {
				return true
			}
		}
	}
	return false
}
