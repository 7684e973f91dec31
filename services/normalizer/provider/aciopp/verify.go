package aciopp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"strings"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/scheme"
)

// Sizes in bytes. Both headers are pinned to them: Open panics on a nonce of
// another length, and a shorter tag would let bytes move between the body's end
// and the tag header, a second spelling of the same message.
const (
	keySize = 32
	ivSize  = 12
	tagSize = 16
)

const (
	ivHeader  = "x-initialization-vector"
	tagHeader = "x-authentication-tag"
)

// blanks may surround hex: a trailing newline was seen, and pasted values carry more.
const blanks = " \t\r\n"

// Verify decrypts the body with one of the endpoint's AES-GCM keys.
// Source: https://docs.oppwa.com/tutorials/webhooks/integration-guide
func (Adapter) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	return scheme.Verify(d, keys, decrypt)
}

// decrypt is the scheme aes_gcm. GCM proves who sealed the body, not when:
// a recorded delivery stays valid, which the idempotency key makes harmless.
func decrypt(d provider.Delivery, keys provider.Keys) (scheme.Proof, bool, error) {
	if len(keys.AESGCM) == 0 {
		return scheme.Proof{}, false, nil
	}
	iv, err := hexHeader(d, ivHeader, ivSize)
	if err != nil {
		return scheme.Proof{}, true, err
	}
	tag, err := hexHeader(d, tagHeader, tagSize)
	if err != nil {
		return scheme.Proof{}, true, err
	}
	sealed, err := ciphertext(d.Body)
	if err != nil {
		return scheme.Proof{}, true, err
	}
	sealed = append(sealed, tag...)
	for _, k := range keys.AESGCM {
		plaintext, ok := open(k.Value, iv, sealed)
		if !ok {
			continue
		}
		return scheme.Proof{
			Scheme:    provider.SchemeAESGCM,
			KeyID:     k.ID,
			Coverage:  eventv1.Coverage_COVERAGE_BODY,
			Plaintext: plaintext,
		}, true, nil
	}
	return scheme.Proof{}, true, fmt.Errorf("%w: no key opens the body", provider.ErrNotAuthentic)
}

// open decrypts sealed, the ciphertext with its tag behind it.
func open(key provider.Secret, iv, sealed []byte) (plaintext []byte, ok bool) {
	if len(key) != keySize {
		return nil, false
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, false
	}
	plaintext, err = gcm.Open(nil, iv, sealed, nil)
	return plaintext, err == nil
}

// hexHeader reads a header that holds exactly size bytes in hex.
func hexHeader(d provider.Delivery, name string, size int) ([]byte, error) {
	text, ok := d.Header(name)
	if !ok {
		return nil, fmt.Errorf("%w: want one header %s", provider.ErrUndecodable, name)
	}
	data, err := hex.DecodeString(strings.Trim(text, blanks))
	if err != nil || len(data) != size {
		return nil, fmt.Errorf("%w: %s is not %d bytes in hex", provider.ErrUndecodable, name, size)
	}
	return data, nil
}

// ciphertext reads the body: hex, or hex in the member encryptedBody of a JSON
// object when the listener is configured with the wrapper. The first byte tells
// them apart; Content-Type does not (both kinds are seen with either), and
// Content-Encoding says "UTF-8", which is no content coding.
// Source: https://support.peachpayments.com, articles 47001189554 and 47001098733
func ciphertext(body []byte) ([]byte, error) {
	text := bytes.Trim(body, blanks)
	if bytes.HasPrefix(text, []byte("{")) {
		wrapper, err := payload.ParseObject(text)
		if err != nil {
			return nil, fmt.Errorf("%w: wrapper: %w", provider.ErrUndecodable, err)
		}
		inner, ok := wrapper.Get("encryptedBody").Text()
		if !ok {
			return nil, fmt.Errorf("%w: the wrapper has no text encryptedBody", provider.ErrUndecodable)
		}
		text = []byte(strings.Trim(inner, blanks))
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%w: no ciphertext", provider.ErrUndecodable)
	}
	data := make([]byte, hex.DecodedLen(len(text)), hex.DecodedLen(len(text))+tagSize)
	if _, err := hex.Decode(data, text); err != nil {
		return nil, fmt.Errorf("%w: the body is not hex", provider.ErrUndecodable)
	}
	return data, nil
}
