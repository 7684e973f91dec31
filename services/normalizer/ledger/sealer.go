package ledger

import (
	"errors"
	"fmt"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ErrSealed says that the ledger is encrypted and no key for it is configured.
var ErrSealed = errors.New("the ledger is encrypted: configure encryption.keys")

// Sealer encrypts the content of deliveries. It is safe for concurrent use.
type Sealer interface {
	// Seal moves what identifies persons from d's members into d.Sealed. It must not change what they point to.
	Seal(place Place, d *ledgerv1.Delivery) error
	// Open moves it back and clears d.Sealed. When the key was forgotten, it sets d.Erased and returns nil.
	Open(place Place, d *ledgerv1.Delivery) error
}

// seal returns what is stored of d at place. d itself stays as it is: its sender still has it.
func seal(s Sealer, place Place, d *ledgerv1.Delivery) (*ledgerv1.Delivery, error) {
	if s == nil {
		return d, nil
	}
	stored := &ledgerv1.Delivery{}
	to := stored.ProtoReflect()
	d.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		to.Set(f, v)
		return true
	})
	if err := s.Seal(place, stored); err != nil {
		return nil, fmt.Errorf("encrypt a delivery: %w", err)
	}
	return stored, nil
}

// unseal decrypts the deliveries of c in place. Errors wrap ErrSealed when s is nil and one is encrypted.
func unseal(s Sealer, c *ledgerv1.Commit) error {
	for i, d := range c.GetDeliveries() {
		if d.GetSealed() == nil {
			continue
		}
		if s == nil {
			return fmt.Errorf("commit %d: %w", c.GetOrdinal(), ErrSealed)
		}
		if err := s.Open(Place{Sequence: c.GetOrdinal(), Index: i}, d); err != nil {
			return fmt.Errorf("commit %d: delivery %d: %w", c.GetOrdinal(), i, err)
		}
	}
	return nil
}

// decode reads the commit that is stored under sequence, still sealed. Errors wrap ErrDamaged.
func decode(sequence uint64, data []byte) (*ledgerv1.Commit, error) {
	c := &ledgerv1.Commit{}
	if err := proto.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%w: commit %d: %w: %s", ErrDamaged, sequence, err, repair)
	}
	if c.GetOrdinal() != int64(sequence) {
		return nil, fmt.Errorf("%w: sequence %d holds commit %d: %s", ErrDamaged, sequence, c.GetOrdinal(), repair)
	}
	return c, nil
}
