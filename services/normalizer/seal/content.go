package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"google.golang.org/protobuf/proto"
)

// errTampered says that what is stored is not what was sealed at its place.
var errTampered = errors.New("the encrypted content is not what was stored at this place")

// encrypt moves the content of d into d.Sealed.
func encrypt(d *ledgerv1.Delivery, place ledger.Place, epoch string, key [keySize]byte, random io.Reader) error {
	plain, err := proto.Marshal(&ledgerv1.SealedContent{
		Path: d.GetPath(), RawQuery: d.GetRawQuery(), Headers: d.GetHeaders(),
		Body: d.GetBody(), Plaintext: d.Plaintext, RemoteAddress: d.GetRemoteAddress(),
	})
	if err != nil {
		return err
	}
	gcm, err := newGCM(&key)
	if err != nil {
		return err
	}
	s := &ledgerv1.Sealed{Epoch: epoch, Nonce: make([]byte, nonceSize)}
	if _, err := io.ReadFull(random, s.GetNonce()); err != nil {
		return err
	}
	s.Ciphertext = gcm.Seal(nil, s.GetNonce(), plain, associated(d, place, epoch))
	blank(d)
	d.Sealed = s
	return nil
}

// decrypt moves the content of d.Sealed back into d.
func decrypt(d *ledgerv1.Delivery, place ledger.Place, key [keySize]byte) error {
	gcm, err := newGCM(&key)
	if err != nil {
		return err
	}
	s := d.GetSealed()
	if len(s.GetNonce()) != nonceSize {
		return errTampered
	}
	plain, err := gcm.Open(nil, s.GetNonce(), s.GetCiphertext(), associated(d, place, s.GetEpoch()))
	if err != nil {
		return errTampered
	}
	c := &ledgerv1.SealedContent{}
	if err := proto.Unmarshal(plain, c); err != nil {
		return fmt.Errorf("%w: %w", errTampered, err)
	}
	d.Path, d.RawQuery, d.Headers, d.Body = c.GetPath(), c.GetRawQuery(), c.GetHeaders(), c.GetBody()
	d.Plaintext, d.RemoteAddress, d.Sealed = c.Plaintext, c.GetRemoteAddress(), nil
	return nil
}

func blank(d *ledgerv1.Delivery) {
	d.Path, d.RawQuery, d.Headers, d.Body, d.Plaintext, d.RemoteAddress = "", "", nil, nil, nil, ""
}

// associated is what is authenticated with a delivery's content: a ciphertext that is moved to
// another place, or to another merchant, does not open.
func associated(d *ledgerv1.Delivery, place ledger.Place, epoch string) []byte {
	b := []byte("paynorm.seal.delivery")
	b = appendText(b, d.GetProvider())
	b = appendText(b, d.GetMerchant())
	b = appendText(b, epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(place.Sequence))
	return binary.BigEndian.AppendUint32(b, uint32(place.Index))
}

// appendText appends s with its length, so that two texts never run into each other.
func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
