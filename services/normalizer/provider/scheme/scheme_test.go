package scheme_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

func secret(id string, value provider.Secret) provider.SecretKey {
	return provider.SecretKey{ID: id, Value: value}
}

func header(name, value string) provider.Header { return provider.Header{Name: name, Value: value} }

func TestSecrets(t *testing.T) {
	tokens := provider.Keys{URLTokens: []provider.SecretKey{secret("old", "token-1"), secret("new", "token 2+/&=ñ")}}
	blanks := provider.Keys{URLTokens: []provider.SecretKey{secret("blanks", "token 1"), secret("mixed", "a b+c")}}
	emptyToken := provider.Keys{URLTokens: []provider.SecretKey{secret("empty", "")}}
	headers := provider.Keys{Headers: []provider.HeaderKey{
		{SecretKey: secret("old", "secret-1"), Name: "x-webhook-key"},
		{SecretKey: secret("new", "secret-2"), Name: "x-webhook-key"},
		{SecretKey: secret("other", "secret-3"), Name: "x-other-key"},
	}}
	emptyHeader := provider.Keys{Headers: []provider.HeaderKey{{SecretKey: secret("empty", ""), Name: "x-webhook-key"}}}
	sources := provider.Keys{SourceIP: []provider.SourceIP{
		{ID: "office", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}},
		{ID: "cloud", Prefixes: []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}},
	}}
	from := func(addr string) provider.Delivery { return provider.Delivery{RemoteAddr: netip.MustParseAddr(addr)} }
	query := func(raw string) provider.Delivery { return provider.Delivery{RawQuery: raw} }
	with := func(h ...provider.Header) provider.Delivery { return provider.Delivery{Headers: h} }
	tests := []struct {
		claim string
		keys  provider.Keys
		d     provider.Delivery
		key   string // "" means refused
	}{
		{"the old token of a rotation", tokens, query("token=token-1"), "old"},
		{"the new token, escaped", tokens, query("token=token%202%2B%2F%26%3D%C3%B1"), "new"},
		{"a token among other parameters", tokens, query("a=b&token=token-1&c"), "old"},
		{"a token with a plus that was not escaped", tokens, query("token=token%202+%2F%26%3D%C3%B1"), "new"},
		{"a plus for a blank", blanks, query("token=token+1"), "blanks"},
		{"a plus for a blank beside one that stands for itself", blanks, query("token=a+b%2Bc"), "mixed"},
		{"an escaped plus for a blank", blanks, query("token=token%2B1"), ""},
		{"an escaped name", tokens, query("%74oke%6E=token-1"), "old"},
		{"a name escaped twice", tokens, query("%2574oken=token-1"), ""},
		{"a name that cannot be decoded", tokens, query("token%=token-1"), ""},
		{"a wrong token", tokens, query("token=token-3"), ""},
		{"the beginning of a token", tokens, query("token=token-"), ""},
		{"more than a token", tokens, query("token=token-11"), ""},
		{"a token in capitals", tokens, query("token=TOKEN-1"), ""},
		{"an empty token", tokens, query("token="), ""},
		{"a parameter without a value", tokens, query("token"), ""},
		{"no query", tokens, query(""), ""},
		{"another parameter", tokens, query("Token=token-1"), ""},
		{"the same token twice", tokens, query("token=token-1&token=token-1"), ""},
		{"a token and an escaped name", tokens, query("token=token-1&%74oken=token-1"), ""},
		{"a token and a wrong one", tokens, query("token=x&token=token-1"), ""},
		{"a token and one that cannot be decoded", tokens, query("token=%zz&token=token-1"), ""},
		{"a token that cannot be decoded", tokens, query("token=%zz"), ""},
		{"an empty token for an empty secret", emptyToken, query("token="), ""},
		{"an undecodable token for an empty secret", emptyToken, query("token=%zz"), ""},
		{"no token for an empty secret", emptyToken, query(""), ""},

		{"the old header of a rotation", headers, with(header("x-webhook-key", "secret-1")), "old"},
		{"the new header of a rotation", headers, with(header("x-webhook-key", "secret-2")), "new"},
		{"a key in its own header", headers, with(header("x-other-key", "secret-3")), "other"},
		{"a key in another key's header", headers, with(header("x-webhook-key", "secret-3")), ""},
		{"a wrong header", headers, with(header("x-webhook-key", "secret-4")), ""},
		{"an empty header", headers, with(header("x-webhook-key", "")), ""},
		{"no header", headers, with(), ""},
		{"the same header twice", headers, with(header("x-webhook-key", "secret-1"), header("x-webhook-key", "secret-1")), ""},
		{"two headers that differ", headers, with(header("x-webhook-key", "secret-1"), header("x-webhook-key", "x")), ""},
		{"an empty header for an empty secret", emptyHeader, with(header("x-webhook-key", "")), ""},
		{"no header for an empty secret", emptyHeader, with(), ""},

		{"an address in the first range", sources, from("203.0.113.9"), "office"},
		{"an address in the second range", sources, from("2001:db8::1"), "office"},
		{"an address of the second entry", sources, from("198.51.100.7"), "cloud"},
		{"an IPv4 address written as IPv6", sources, from("::ffff:203.0.113.9"), "office"},
		{"an address of no range", sources, from("198.51.100.8"), ""},
		{"no address", sources, provider.Delivery{}, ""},

		{"no keys at all", provider.Keys{}, query("token=token-1"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			v, err := scheme.Verify(tt.d, tt.keys)
			if tt.key == "" {
				if !errors.Is(err, provider.ErrNotAuthentic) {
					t.Errorf("got %v, %v; want ErrNotAuthentic", v.Scheme, err)
				}
				return
			}
			if err != nil || v.KeyID != tt.key || v.Coverage != eventv1.Coverage_COVERAGE_SENDER {
				t.Errorf("got key %q, %v, %v; want %q", v.KeyID, v.Coverage, err, tt.key)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		sent   string
		secret provider.Secret
		want   bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"", "", false}, {"a", "", false}, {"", "a", false}, {"aa", "a", false},
	}
	for _, tt := range tests {
		if got := scheme.Equal(tt.sent, tt.secret); got != tt.want {
			t.Errorf("Equal(%q, %q) = %v", tt.sent, string(tt.secret), got)
		}
	}
}

// The rule: kinds are conditions, keys of one kind alternatives, and a bearer
// token and a header alternatives of each other.
func TestKindsCombine(t *testing.T) {
	token := []provider.SecretKey{secret("t", "token")}
	source := []provider.SourceIP{{ID: "s", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}
	headers := []provider.HeaderKey{{SecretKey: secret("h", "secret"), Name: "x-key"}}
	clients := []provider.OAuth2Client{client()}
	inside, outside := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("192.0.2.1")
	bearer := header("authorization", "Bearer "+token1())
	tests := []struct {
		claim  string
		keys   provider.Keys
		d      provider.Delivery
		scheme string // "" means refused
	}{
		{"token and address", provider.Keys{URLTokens: token, SourceIP: source}, provider.Delivery{RawQuery: "token=token", RemoteAddr: inside}, "source_ip+url_token"},
		{"token from elsewhere", provider.Keys{URLTokens: token, SourceIP: source}, provider.Delivery{RawQuery: "token=token", RemoteAddr: outside}, ""},
		{"address without token", provider.Keys{URLTokens: token, SourceIP: source}, provider.Delivery{RemoteAddr: inside}, ""},
		{"token and header", provider.Keys{URLTokens: token, Headers: headers}, provider.Delivery{RawQuery: "token=token", Headers: []provider.Header{header("x-key", "secret")}}, "url_token+header"},
		{"token without header", provider.Keys{URLTokens: token, Headers: headers}, provider.Delivery{RawQuery: "token=token"}, ""},
		{"bearer alone where both are configured", provider.Keys{OAuth2: clients, Headers: headers}, delivery(bearer), "oauth2"},
		{"header alone where both are configured", provider.Keys{OAuth2: clients, Headers: headers}, delivery(header("x-key", "secret")), "header"},
		{"header beside a wrong bearer", provider.Keys{OAuth2: clients, Headers: headers}, delivery(header("authorization", "Bearer x"), header("x-key", "secret")), "header"},
		{"neither bearer nor header", provider.Keys{OAuth2: clients, Headers: headers}, delivery(), ""},
		{"none accepts everything", provider.Keys{None: true}, provider.Delivery{}, "none"},
		{"none beside a key changes nothing", provider.Keys{None: true, URLTokens: token}, provider.Delivery{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			tt.d.Body = []byte("body")
			v, err := scheme.Verify(tt.d, tt.keys)
			if tt.scheme == "" {
				if !errors.Is(err, provider.ErrNotAuthentic) {
					t.Errorf("got %q, %v; want ErrNotAuthentic", v.Scheme, err)
				}
				return
			}
			if err != nil || v.Scheme != tt.scheme || string(v.Plaintext) != "body" {
				t.Errorf("got %q, %v; want %q", v.Scheme, err, tt.scheme)
			}
		})
	}
}

// A provider's own scheme is one more kind: it must hold beside the shared
// ones, its key is the one that is told, and its plaintext wins.
func TestOwnCheckCombines(t *testing.T) {
	own := func(err error) scheme.Check {
		return func(_ provider.Delivery, keys provider.Keys) (scheme.Proof, bool, error) {
			p := scheme.Proof{Scheme: provider.SchemeAESGCM, KeyID: "own", Coverage: eventv1.Coverage_COVERAGE_BODY, Plaintext: []byte("clear")}
			return p, len(keys.AESGCM) > 0, err
		}
	}
	token := []provider.SecretKey{secret("t", "token")}
	both := provider.Keys{URLTokens: token, AESGCM: []provider.SecretKey{secret("own", "k")}}
	d := provider.Delivery{RawQuery: "token=token", Body: []byte("secret")}

	got, err := scheme.Verify(d, both, own(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Verified{Plaintext: []byte("clear"), Scheme: "url_token+aes_gcm", KeyID: "own", Coverage: eventv1.Coverage_COVERAGE_BODY}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if _, err := scheme.Verify(d, both, own(provider.ErrUndecodable)); !errors.Is(err, provider.ErrUndecodable) {
		t.Errorf("own check refuses: got %v", err)
	}
	if _, err := scheme.Verify(provider.Delivery{}, both, own(nil)); !errors.Is(err, provider.ErrNotAuthentic) {
		t.Errorf("shared scheme refuses: got %v", err)
	}
	got, err = scheme.Verify(d, provider.Keys{URLTokens: token}, own(nil))
	if err != nil || got.KeyID != "t" || string(got.Plaintext) != "secret" {
		t.Errorf("own check without a key: got %q, %v", got.KeyID, err)
	}
	if _, err := scheme.Verify(d, provider.Keys{}, own(nil)); !errors.Is(err, provider.ErrNotAuthentic) {
		t.Errorf("no keys: got %v", err)
	}
}
