package simulator_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

const (
	aesKey  = "000102030405060708090a0b0c0d0e0f 000102030405060708090A0B0C0D0E0F"
	secret  = "s3cret & more"
	address = "127.0.0.1:8080"
)

const configuration = `
endpoints:
  - {provider: clip, merchant: acme, mode: live, auth: [{url_token: {secret: {env: SECRET}}}, {url_token: {secret: {env: NEXT}}}]}
  - {provider: clip, merchant: open, mode: test, auth: [{none: {i_accept_forged_webhooks: true}}]}
  - {provider: aci-opp, merchant: acme, mode: live, auth: [{aes_gcm: {key: {env: AES}}}]}
  - {provider: qitech, merchant: acme, mode: live, auth: [{jwt: {algorithm: ES512, public_key: {env: PEM}}}]}
  - {provider: incode, merchant: acme, mode: live, auth: [{header: {name: x-webhook-key, secret: {env: SECRET}}}]}
  - {provider: singleview, merchant: acme, mode: live, expect_accounts: [SV0001], auth: [{url_token: {secret: {env: SECRET}}}, {source_ip: {cidrs: ["127.0.0.0/8"]}}]}
`

func getenv(name string) (string, bool) {
	value, ok := map[string]string{"SECRET": secret, "NEXT": "the second one", "AES": aesKey}[name]
	return value, ok
}

func parse(t *testing.T, text string) *configv1.Config {
	t.Helper()
	cfg, err := config.Parse("paynorm.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// options are those of a simulator of acme's endpoint at a fixed time.
func options(t *testing.T, providerID string, key crypto.Signer) simulator.Options {
	t.Helper()
	return simulator.Options{
		Config: parse(t, configuration), Provider: providerID, Merchant: "acme", Getenv: getenv, SigningKey: key,
		Now: func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 678_901_234, time.UTC) },
	}
}

func newSimulator(t *testing.T, o simulator.Options) *simulator.Simulator {
	t.Helper()
	s, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(t *testing.T, s *simulator.Simulator, caseName string, ids simulator.IDs) (*http.Request, []byte) {
	t.Helper()
	req, err := s.Request(t.Context(), caseName, ids)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return req, body
}

// clear is the body of a request before it was encrypted.
func plaintext(t *testing.T, providerID string, req *http.Request, body []byte) []byte {
	t.Helper()
	if providerID == "aci-opp" {
		return decrypt(t, req.Header, body)
	}
	return body
}

func TestEveryCaseIsAJSONWebhookToItsEndpoint(t *testing.T) {
	key := newKey(t, elliptic.P521())
	for _, id := range simulator.Providers() {
		s := newSimulator(t, options(t, id, key))
		for _, c := range simulator.Cases(id) {
			req, body := request(t, s, c.Name, simulator.IDs{})
			if req.Method != http.MethodPost || req.URL.Scheme != "http" || req.URL.Host != address || req.URL.Path != "/webhooks/"+id+"/acme" {
				t.Errorf("%s %s: %s %s", id, c.Name, req.Method, req.URL.Redacted())
			}
			if req.ContentLength != int64(len(body)) || req.Host != address {
				t.Errorf("%s %s: length %d for %d bytes, host %q", id, c.Name, req.ContentLength, len(body), req.Host)
			}
			if text := plaintext(t, id, req, body); !json.Valid(text) || c.Title == "" {
				t.Errorf("%s %s: %q: %s", id, c.Name, c.Title, text)
			}
		}
	}
}

func TestCasesKeepTheirNames(t *testing.T) {
	want := map[string]string{
		"clip": "created pending cash paid canceled expired refund-created refund-approved refund-declined thin",
		"aci-opp": "authorized voucher prepayment paid captured receipt voided refunded refund-pending refund-declined refund-canceled " +
			"chargeback chargeback-reversal pending review declined uncertain canceled registration",
		"qitech":     "slip payroll partial paid sibling",
		"incode":     "verified canceled cancellation-pending",
		"singleview": "pending on-hold processing paid failed rejected charge batch payroll",
	}
	got := map[string]string{}
	for _, id := range simulator.Providers() {
		var names []string
		for _, c := range simulator.Cases(id) {
			names = append(names, c.Name)
		}
		got[id] = strings.Join(names, " ")
		if !slices.Contains(names, simulator.DefaultCase(id)) {
			t.Errorf("%s: default case %q is none of %s", id, simulator.DefaultCase(id), names)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cases := simulator.Cases("stripe"); len(cases) != 0 || simulator.DefaultCase("stripe") != "" {
		t.Errorf("an unknown provider has cases: %v", cases)
	}
}

func TestEachRequestIsAboutAnotherPayment(t *testing.T) {
	key := newKey(t, elliptic.P521())
	for _, id := range simulator.Providers() {
		s := newSimulator(t, options(t, id, key))
		seen := map[string]bool{}
		for range 50 {
			req, body := request(t, s, "", simulator.IDs{})
			seen[string(plaintext(t, id, req, body))] = true
		}
		if len(seen) != 50 {
			t.Errorf("%s: %d different bodies of 50", id, len(seen))
		}
	}
}

func TestGivenIDsTellTheLifeOfOnePayment(t *testing.T) {
	key := newKey(t, elliptic.P521())
	for _, tt := range []struct {
		provider  string
		ids       simulator.IDs
		cases     []string
		constants []string // what each body must hold
	}{
		{"clip", simulator.IDs{Payment: "pay-1", Reference: `ref "1"`}, []string{"created", "cash", "paid", "refund-approved"},
			[]string{`"payment_request_id":"pay-1"`, `"me_reference_id":"ref \"1\""`}},
		{"clip", simulator.IDs{Payment: "pay-1", Operation: "try-1"}, []string{"pending", "paid"}, []string{`"transaction_id":"try-1"`}},
		{"aci-opp", simulator.IDs{Payment: "pay-1", Reference: "ref-1"}, []string{"authorized", "captured", "refunded", "chargeback"},
			[]string{`"pay-1"`, `"merchantTransactionId":"ref-1"`}},
		{"aci-opp", simulator.IDs{Payment: "pay-1", Operation: "op-1"}, []string{"captured", "voided"}, []string{`"id":"op-1","referencedId":"pay-1"`}},
		{"qitech", simulator.IDs{Payment: "pay-1"}, []string{"slip", "partial", "paid"}, []string{`"invoice_payment_key":"pay-1"`}},
		{"incode", simulator.IDs{Payment: "pay-1", Reference: "doc-1"}, []string{"verified", "canceled"}, []string{`"requestId":"pay-1"`, `"fiscalInvoice":"doc-1"`}},
		{"singleview", simulator.IDs{Payment: "471"}, []string{"pending", "paid", "charge", "batch"}, []string{`"companyCode":"SV0001"`, `"payId":"471"`}},
	} {
		s := newSimulator(t, options(t, tt.provider, key))
		for _, name := range tt.cases {
			req, body := request(t, s, name, tt.ids)
			for _, want := range tt.constants {
				if text := plaintext(t, tt.provider, req, body); !bytes.Contains(text, []byte(want)) {
					t.Errorf("%s %s: no %s in %s", tt.provider, name, want, text)
				}
			}
		}
	}
}

func TestMadeUpIDsAreNewEachTime(t *testing.T) {
	s := newSimulator(t, options(t, "clip", nil))
	first, err := s.NewIDs()
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.NewIDs()
	if err != nil {
		t.Fatal(err)
	}
	if first.Payment == "" || first.Reference == "" || first.Operation != "" || first == second {
		t.Errorf("got %v and %v, want two payments with a reference", first, second)
	}
}

func TestEachCaptureIsAnOperationOfItsOwn(t *testing.T) {
	s := newSimulator(t, options(t, "aci-opp", nil))
	ids := simulator.IDs{Payment: "pay-1"}
	reqA, a := request(t, s, "captured", ids)
	reqB, b := request(t, s, "captured", ids)
	if bytes.Equal(decrypt(t, reqA.Header, a), decrypt(t, reqB.Header, b)) {
		t.Error("two captures of one payment are the same")
	}
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	p256 := newKey(t, elliptic.P256())
	short := `endpoints: [{provider: aci-opp, merchant: acme, mode: live, auth: [{aes_gcm: {key: {env: SECRET}}}]}]`
	for _, tt := range []struct {
		name string
		edit func(*simulator.Options)
		want string
	}{
		{"unknown provider", func(o *simulator.Options) { o.Provider = "stripe" }, `unknown provider "stripe"; known are clip, aci-opp, qitech, incode, singleview`},
		{"provider without endpoint", func(o *simulator.Options) { o.Config = parse(t, "") }, "the configuration has no endpoint for clip"},
		{"unknown merchant", func(o *simulator.Options) { o.Merchant = "emca" }, `clip has no merchant "emca"; it has acme, open`},
		{"no merchant where there are two", func(o *simulator.Options) { o.Merchant = "" }, "clip has several merchants, name one: acme, open"},
		{"malformed URL", func(o *simulator.Options) { o.BaseURL = "ftp://h" }, `base URL "ftp://h": want http://host:port`},
		{"unreadable URL", func(o *simulator.Options) { o.BaseURL = "http://h:x" }, `base URL: parse "http://h:x": invalid port ":x" after host`},
		{"configuration without address", func(o *simulator.Options) { o.Config.Http.Address = "h" }, "http.address: address h: missing port in address"},
		{"secret that is not set", func(o *simulator.Options) { o.Getenv = func(string) (string, bool) { return "", false } }, "clip/acme: auth[0]: environment variable SECRET is not set"},
		{"AES key that is none", func(o *simulator.Options) { o.Provider, o.Config = "aci-opp", parse(t, short) }, "aci-opp/acme: auth[0]: aes_gcm.key: want 64 hex digits"},
		{"no signing key", func(o *simulator.Options) { o.Provider = "qitech" }, "qitech/acme: auth[0]: jwt: to sign, the private key that belongs to public_key is needed"},
		{"signing key on another curve", func(o *simulator.Options) { o.Provider, o.SigningKey = "qitech", p256 }, "qitech/acme: auth[0]: jwt: the private key is on P-256, which is not the curve of ES512"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, "clip", nil)
			tt.edit(&o)
			if _, err := simulator.New(o); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}

	_, err := newSimulator(t, options(t, "incode", nil)).Request(t.Context(), "paid", simulator.IDs{})
	if want := `incode has no case "paid"; it has verified, canceled, cancellation-pending`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOnlyMerchantNeedsNoName(t *testing.T) {
	o := options(t, "singleview", nil)
	o.Merchant = ""
	if req, _ := request(t, newSimulator(t, o), "", simulator.IDs{}); req.URL.Path != "/webhooks/singleview/acme" {
		t.Errorf("path %s, want acme's", req.URL.Path)
	}
}

func TestBaseURLIsThatOfTheConfigurationUnlessGiven(t *testing.T) {
	for _, tt := range []struct{ base, address, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080/webhooks/clip/open"},
		{"", ":8080", "http://127.0.0.1:8080/webhooks/clip/open"},
		{"", "0.0.0.0:80", "http://127.0.0.1:80/webhooks/clip/open"},
		{"", "[::]:80", "http://127.0.0.1:80/webhooks/clip/open"},
		{"", "edge:80", "http://edge:80/webhooks/clip/open"},
		{"https://hooks.example/pay/", ":8080", "https://hooks.example/pay/webhooks/clip/open"},
	} {
		o := options(t, "clip", nil)
		o.Merchant, o.BaseURL, o.Config.Http.Address = "open", tt.base, tt.address
		if req, _ := request(t, newSimulator(t, o), "", simulator.IDs{}); req.URL.String() != tt.want {
			t.Errorf("%q, %q: got %s, want %s", tt.base, tt.address, req.URL, tt.want)
		}
	}
}

func TestErrorsOfSendingShowNoSecret(t *testing.T) {
	circle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.String(), http.StatusTemporaryRedirect)
	}))
	defer circle.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, id := range []string{"clip", "singleview"} { // those with a secret in the URL
		for _, server := range []*httptest.Server{circle, gone} {
			o := options(t, id, nil)
			o.BaseURL = server.URL
			_, err := newSimulator(t, o).Do(t.Context(), "", simulator.IDs{})
			want := `Post "` + server.URL + "/webhooks/" + id + `/acme": `
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: got %v, want an error that begins with %s", id, err, want)
			}
		}
	}
}
