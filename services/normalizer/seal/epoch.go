package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
)

// Key wraps what is stored of the key ring.
type Key struct {
	ID     string // stored beside what it wraps
	Secret [keySize]byte
}

const nonceSize = 12

func newGCM(key *[keySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// wrap encrypts t, the keys of epoch, for storage.
func wrap(epoch string, t tree, with Key, random io.Reader) ([]byte, error) {
	gcm, err := newGCM(&with.Secret)
	if err != nil {
		return nil, err
	}
	e := &ledgerv1.KeyEpoch{Epoch: epoch, KeyId: with.ID, Nonce: make([]byte, nonceSize)}
	if _, err := io.ReadFull(random, e.Nonce); err != nil {
		return nil, err
	}
	plain, err := proto.Marshal(t.message())
	if err != nil {
		return nil, err
	}
	e.Ciphertext = gcm.Seal(nil, e.GetNonce(), plain, wrapContext(e))
	return proto.Marshal(e)
}

// unwrap returns the stored epoch's name, its tree and the ID of the key that wrapped it.
func unwrap(data []byte, keys []Key) (epoch string, t tree, keyID string, err error) {
	e := &ledgerv1.KeyEpoch{}
	if err := proto.Unmarshal(data, e); err != nil {
		return "", nil, "", fmt.Errorf("key ring: %w", err)
	}
	for _, k := range keys {
		if k.ID != e.GetKeyId() {
			continue
		}
		gcm, err := newGCM(&k.Secret)
		if err != nil {
			return "", nil, "", err
		}
		if len(e.GetNonce()) != nonceSize {
			return "", nil, "", fmt.Errorf("key ring: epoch %s has no nonce", e.GetEpoch())
		}
		plain, err := gcm.Open(nil, e.GetNonce(), e.GetCiphertext(), wrapContext(e))
		if err != nil {
			return "", nil, "", fmt.Errorf("%w: %q does not open epoch %s of the key ring", ErrWrongKey, k.ID, e.GetEpoch())
		}
		m := &ledgerv1.KeyTree{}
		if err := proto.Unmarshal(plain, m); err != nil {
			return "", nil, "", fmt.Errorf("key ring: epoch %s: %w", e.GetEpoch(), err)
		}
		if t, err = readTree(m); err != nil {
			return "", nil, "", fmt.Errorf("key ring: epoch %s: %w", e.GetEpoch(), err)
		}
		return e.GetEpoch(), t, k.ID, nil
	}
	return "", nil, "", fmt.Errorf("%w: epoch %s of the key ring needs %q: add it to encryption.keys", ErrWrongKey, e.GetEpoch(), e.GetKeyId())
}

// wrapContext is what is authenticated with a wrapped tree.
func wrapContext(e *ledgerv1.KeyEpoch) []byte {
	return appendText(appendText([]byte("paynorm.seal.wrap"), e.GetEpoch()), e.GetKeyId())
}
