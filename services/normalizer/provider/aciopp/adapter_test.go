package aciopp_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/aciopp"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

const (
	ivHeader  = "x-initialization-vector"
	tagHeader = "x-authentication-tag"
)

// key is a test key, always the same for the same n.
func key(n int) provider.Secret { return provider.Secret(bytes.Repeat([]byte{byte(n + 1)}, 32)) }

func liveKeys() provider.Keys {
	return provider.Keys{AESGCM: []provider.SecretKey{{ID: "key-0", Value: key(0)}, {ID: "key-1", Value: key(1)}}}
}

// seal makes d what the platform sends: the tag goes into a header, the rest is
// the body in hex.
func seal(t testing.TB, d *provider.Delivery, plaintext []byte, n int) {
	t.Helper()
	sealWith(t, d, plaintext, key(n))
}

func sealWith(t testing.TB, d *provider.Delivery, plaintext []byte, key provider.Secret) {
	t.Helper()
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	iv := bytes.Repeat([]byte{0x5a}, gcm.NonceSize())
	sealed := gcm.Seal(nil, iv, plaintext, nil)
	cut := len(sealed) - gcm.Overhead()
	d.Body = []byte(strings.ToUpper(hex.EncodeToString(sealed[:cut])))
	d.Headers = append(d.Headers,
		provider.Header{Name: ivHeader, Value: strings.ToUpper(hex.EncodeToString(iv))},
		provider.Header{Name: tagHeader, Value: strings.ToUpper(hex.EncodeToString(sealed[cut:]))})
}

func suite() providertest.Suite {
	return providertest.Suite{
		Adapter:       aciopp.New(),
		Keys:          liveKeys(),
		Sign:          seal,
		SignedHeaders: []string{ivHeader, tagHeader},
		SignsBody:     true,
	}
}

func TestConformance(t *testing.T) { providertest.Run(t, suite()) }

// The vectors are published at https://docs.oppwa.com/tutorials/webhooks/integration-guide.
func TestPublishedVectorsDecrypt(t *testing.T) {
	raw, err := hex.DecodeString(strings.Repeat("000102030405060708090A0B0C0D0E0F", 2))
	if err != nil {
		t.Fatal(err)
	}
	keys := provider.Keys{AESGCM: []provider.SecretKey{{ID: "published", Value: provider.Secret(raw)}}}
	for _, v := range []struct{ iv, tag, body, want string }{
		{"3D575574536D450F71AC76D8", "19FDD068C6F383C173D3A906F7BD1D83", "F8E2F759E528CB69375E51DB2AF9B53734E393", `{"type": "PAYMENT"}`},
		{"000000000000000000000000", "CE573FB7A41AB78E743180DC83FF09BD", "0A3471C72D9BE49A8520F79C66BBD9A12FF9", `{"type":"PAYMENT"}`},
	} {
		got, err := aciopp.New().Verify(delivery(v.body, v.iv, v.tag), keys)
		if err != nil || string(got.Plaintext) != v.want {
			t.Errorf("got %q, %v, want %q", got.Plaintext, err, v.want)
		}
		if got.Scheme != "aes_gcm" || got.KeyID != "published" || got.Coverage != eventv1.Coverage_COVERAGE_BODY {
			t.Errorf("got scheme %q, key %q, coverage %s", got.Scheme, got.KeyID, got.Coverage)
		}
	}
}

func delivery(body, iv, tag string) provider.Delivery {
	return provider.Delivery{Method: "POST", Body: []byte(body), Headers: []provider.Header{{Name: ivHeader, Value: iv}, {Name: tagHeader, Value: tag}}}
}

// TestFormsOfTheBody gives one sealed message in every form it may come in, and
// in forms that are no message.
func TestFormsOfTheBody(t *testing.T) {
	const text = `{"type":"TEST","payload":{}}`
	var d provider.Delivery
	seal(t, &d, []byte(text), 1)
	body, iv, tag := string(d.Body), d.Headers[0].Value, d.Headers[1].Value
	tests := []struct {
		name string
		d    provider.Delivery
		want error
	}{
		{"upper-case hex", delivery(body, iv, tag), nil},
		{"lower-case hex", delivery(strings.ToLower(body), strings.ToLower(iv), strings.ToLower(tag)), nil},
		{"blanks around", delivery("\r\n "+body+"\n", " "+iv+" ", "\t"+tag), nil},
		{"wrapper", delivery(`{"encryptedBody":"`+body+`"}`, iv, tag), nil},
		{"wrapper with blanks and another member", delivery("\n { \"v\": 1, \"encryptedBody\" : \" "+body+"\\n\" }\n", iv, tag), nil},
		{"wrong tag", delivery(body, iv, strings.Repeat("0", 32)), provider.ErrNotAuthentic},
		{"wrong IV", delivery(body, strings.Repeat("0", 24), tag), provider.ErrNotAuthentic},
		{"body cut", delivery(body[2:], iv, tag), provider.ErrNotAuthentic},
		{"IV of 16 bytes", delivery(body, iv+"00000000", tag), provider.ErrUndecodable},
		{"IV of 11 bytes", delivery(body, iv[2:], tag), provider.ErrUndecodable},
		{"no IV", delivery(body, "", tag), provider.ErrUndecodable},
		{"IV in base64", delivery(body, "WlpaWlpaWlpaWlpa", tag), provider.ErrUndecodable},
		{"tag of 4 bytes", delivery(body+tag[:24], iv, tag[24:]), provider.ErrUndecodable},
		{"tag with a byte of the body", delivery(body[:len(body)-2], iv, body[len(body)-2:]+tag), provider.ErrUndecodable},
		{"no tag", delivery(body, iv, ""), provider.ErrUndecodable},
		{"no body", delivery("", iv, tag), provider.ErrUndecodable},
		{"blank body", delivery(" \n", iv, tag), provider.ErrUndecodable},
		{"odd number of digits", delivery(body+"0", iv, tag), provider.ErrUndecodable},
		{"blank inside", delivery(body[:8]+" "+body[8:], iv, tag), provider.ErrUndecodable},
		{"clear text", delivery(text, iv, tag), provider.ErrUndecodable},
		{"wrapper of a number", delivery(`{"encryptedBody":42}`, iv, tag), provider.ErrUndecodable},
		{"wrapper with the member twice", delivery(`{"encryptedBody":"`+body+`","encryptedBody":"`+body+`"}`, iv, tag), provider.ErrUndecodable},
		{"wrapper in another case", delivery(`{"encryptedbody":"`+body+`"}`, iv, tag), provider.ErrUndecodable},
		{"wrapper of nothing", delivery(`{"encryptedBody":""}`, iv, tag), provider.ErrUndecodable},
		{"wrapper cut", delivery(`{"encryptedBody":"`+body, iv, tag), provider.ErrUndecodable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Neither header says what the body is.
			tt.d.Headers = append(tt.d.Headers, provider.Header{Name: "content-encoding", Value: "UTF-8"},
				provider.Header{Name: "content-type", Value: "application/json; charset=UTF-8"})
			got, err := aciopp.New().Verify(tt.d, liveKeys())
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (string(got.Plaintext) != text || got.KeyID != "key-1") {
				t.Errorf("got %q by %s", got.Plaintext, got.KeyID)
			}
		})
	}
}

// TestKeysOfAnotherSizeOpenNothing seals with keys that AES takes and the
// platform does not hand out.
func TestKeysOfAnotherSizeOpenNothing(t *testing.T) {
	for _, size := range []int{16, 24} {
		var d provider.Delivery
		sealWith(t, &d, []byte("{}"), key(0)[:size])
		keys := provider.Keys{AESGCM: []provider.SecretKey{{ID: "short", Value: key(0)[:size]}}}
		if _, err := aciopp.New().Verify(d, keys); !errors.Is(err, provider.ErrNotAuthentic) {
			t.Errorf("%d bytes: got %v, want ErrNotAuthentic", size, err)
		}
	}
}
