package scheme_test

import (
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/tlsfiles/tlstest"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

func TestAClientCertificateIsOfItsCAInTimeAndNamed(t *testing.T) {
	ca, other := tlstest.NewAuthority(t, "rail"), tlstest.NewAuthority(t, "other")
	der := func(p tlstest.Pair) [][]byte {
		block, _ := pem.Decode(p.Certificate)
		return [][]byte{block.Bytes}
	}
	good := der(ca.Issue(t, "rail.example"))
	now := time.Now()
	for _, tt := range []struct {
		name  string
		shown [][]byte
		names []string
		at    time.Time
		ok    bool
	}{
		{"of the CA", good, nil, now, true},
		{"with the name", good, []string{"other.example", "Rail.Example"}, now, true},
		{"with another name", good, []string{"rail.example.org"}, now, false},
		{"of another CA", der(other.Issue(t, "rail.example")), nil, now, false},
		{"run out", good, nil, now.Add(2 * time.Hour), false},
		{"none", nil, nil, now, false},
		{"no certificate", [][]byte{[]byte("x")}, nil, now, false},
	} {
		keys := provider.Keys{Certificates: []provider.CertificateKey{{ID: "rail-1", Roots: ca.Pool(), Names: tt.names}}}
		v, err := scheme.Verify(provider.Delivery{Certificates: tt.shown, ReceivedAt: tt.at}, keys)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && (v.KeyID != "rail-1" || v.Scheme != "client_certificate") {
			t.Errorf("%s: got %v", tt.name, v)
		}
	}
	// Beside another kind, both must hold.
	keys := provider.Keys{
		Certificates: []provider.CertificateKey{{ID: "rail-1", Roots: ca.Pool()}}, URLTokens: []provider.SecretKey{{ID: "token", Value: "12345678"}},
	}
	for query, ok := range map[string]bool{"token=12345678": true, "": false} {
		if _, err := scheme.Verify(provider.Delivery{Certificates: good, ReceivedAt: now, RawQuery: query}, keys); (err == nil) != ok {
			t.Errorf("query %q: %v", query, err)
		}
	}
	if _, err := scheme.Verify(provider.Delivery{ReceivedAt: now, RawQuery: "token=12345678"}, keys); err == nil {
		t.Error("the token alone is enough")
	}
}
