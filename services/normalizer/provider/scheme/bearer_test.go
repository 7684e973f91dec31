package scheme_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

func now() time.Time { return time.Date(2024, 5, 6, 15, 0, 0, 900_000_000, time.UTC) }

func client() provider.OAuth2Client {
	return provider.OAuth2Client{SecretKey: secret("oauth2-1", "client-secret"), ClientID: "incode", TokenTTL: 5 * time.Minute}
}

// token1 is a token for the endpoint of delivery that runs out in five minutes.
func token1() string {
	return scheme.NewBearer(client(), "incode", "acme", now().Add(5*time.Minute), [16]byte{1})
}

func delivery(headers ...provider.Header) provider.Delivery {
	return provider.Delivery{Provider: "incode", Merchant: "acme", Headers: headers, ReceivedAt: now()}
}

func TestBearer(t *testing.T) {
	other := client()
	other.ID, other.ClientID, other.Value = "oauth2-2", "another", "another-secret"
	sameSecret := client()
	sameSecret.ClientID = "another"
	sameID := client()
	sameID.Value = "rotated-secret"
	empty := client()
	empty.Value = ""
	at := func(shift time.Duration) provider.Delivery {
		d := delivery(header("authorization", "Bearer "+token1()))
		d.ReceivedAt = now().Add(shift)
		return d
	}
	elsewhere := func(providerID, merchant string) provider.Delivery {
		d := at(0)
		d.Provider, d.Merchant = providerID, merchant
		return d
	}
	with := func(value string) provider.Delivery { return delivery(header("authorization", value)) }
	forged := scheme.NewBearer(empty, "incode", "acme", now().Add(time.Minute), [16]byte{})
	tests := []struct {
		claim   string
		clients []provider.OAuth2Client
		d       provider.Delivery
		key     string // "" means refused
	}{
		{"a fresh token", []provider.OAuth2Client{client()}, at(0), "oauth2-1"},
		{"a token in its last millisecond", []provider.OAuth2Client{client()}, at(5*time.Minute - time.Millisecond), "oauth2-1"},
		{"a token at its end", []provider.OAuth2Client{client()}, at(5 * time.Minute), ""},
		{"a token long after its end", []provider.OAuth2Client{client()}, at(time.Hour), ""},
		{"the first of two clients", []provider.OAuth2Client{client(), other}, at(0), "oauth2-1"},
		{"the second of two clients", []provider.OAuth2Client{other, client()}, at(0), "oauth2-1"},
		{"a client that was taken out", []provider.OAuth2Client{other}, at(0), ""},
		{"another client with the same secret", []provider.OAuth2Client{sameSecret}, at(0), ""},
		{"a client whose secret was changed", []provider.OAuth2Client{sameID}, at(0), ""},
		{"the endpoint of another merchant", []provider.OAuth2Client{client()}, elsewhere("incode", "other"), ""},
		{"the endpoint of another provider", []provider.OAuth2Client{client()}, elsewhere("clip", "acme"), ""},
		{"provider and merchant cut elsewhere", []provider.OAuth2Client{client()}, elsewhere("incodea", "cme"), ""},
		{"a token signed with an empty secret", []provider.OAuth2Client{empty}, with("Bearer " + forged), ""},
		{"the scheme in lower case", []provider.OAuth2Client{client()}, with("bearer " + token1()), "oauth2-1"},
		{"another scheme", []provider.OAuth2Client{client()}, with("Basic " + token1()), ""},
		{"no scheme", []provider.OAuth2Client{client()}, with(token1()), ""},
		{"two blanks", []provider.OAuth2Client{client()}, with("Bearer  " + token1()), ""},
		{"an empty token", []provider.OAuth2Client{client()}, with("Bearer "), ""},
		{"a token cut short", []provider.OAuth2Client{client()}, with("Bearer " + token1()[:70]), ""},
		{"a token with more behind it", []provider.OAuth2Client{client()}, with("Bearer " + token1() + "AAAA"), ""},
		{"a token with padding", []provider.OAuth2Client{client()}, with("Bearer " + token1() + "="), ""},
		{"a token with a line break", []provider.OAuth2Client{client()}, with("Bearer " + token1() + "\n"), ""},
		{"only line breaks", []provider.OAuth2Client{client()}, with("Bearer " + strings.Repeat("\n", len(token1()))), ""},
		{"two authorization headers", []provider.OAuth2Client{client()}, delivery(header("authorization", "Bearer "+token1()), header("authorization", "Bearer x")), ""},
		{"no authorization header", []provider.OAuth2Client{client()}, delivery(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			v, err := scheme.Verify(tt.d, provider.Keys{OAuth2: tt.clients})
			if tt.key == "" {
				if !errors.Is(err, provider.ErrNotAuthentic) {
					t.Errorf("got %q, %v; want ErrNotAuthentic", v.KeyID, err)
				}
				return
			}
			if err != nil || v.KeyID != tt.key || v.Scheme != "oauth2" {
				t.Errorf("got %q by %q, %v; want %q", v.KeyID, v.Scheme, err, tt.key)
			}
		})
	}
}

// Every bit counts, that of the expiry above all.
func TestBearerFlippedBits(t *testing.T) {
	token, err := base64.RawURLEncoding.DecodeString(token1())
	if err != nil {
		t.Fatal(err)
	}
	keys := provider.Keys{OAuth2: []provider.OAuth2Client{client()}}
	for i := range len(token) * 8 {
		token[i/8] ^= 1 << (i % 8)
		d := delivery(header("authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(token)))
		if _, err := scheme.Verify(d, keys); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("bit %d flipped: got %v", i, err)
		}
		token[i/8] ^= 1 << (i % 8)
	}
	text := token1()
	for i := range text {
		d := delivery(header("authorization", "Bearer "+text[:i]+string([]byte{text[i] ^ 1})+text[i+1:]))
		if _, err := scheme.Verify(d, keys); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("character %d changed: got %v", i, err)
		}
	}
}

func TestBearersOfOneSecondDiffer(t *testing.T) {
	expires := now().Add(time.Minute)
	a := scheme.NewBearer(client(), "incode", "acme", expires, [16]byte{1})
	b := scheme.NewBearer(client(), "incode", "acme", expires, [16]byte{2})
	if a == b {
		t.Error("two nonces gave one token")
	}
	if strings.ContainsAny(a, "+/= ") {
		t.Errorf("token %q needs escaping", a)
	}
}
