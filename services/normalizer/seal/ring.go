// Package seal encrypts the content of stored deliveries, each with a data key of its own
// that is derived and never stored, and can forget single data keys for good.
//
// The keys of an epoch form a binary tree. What is stored is the root, and after erasures the
// nodes from which everything but the forgotten leaves can still be derived: the
// store grows with erasures only, by up to 32 nodes of 37 bytes for each.
package seal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
)

var (
	// ErrWrongKey says that the key ring cannot be opened with the configured keys. The text names the key.
	ErrWrongKey = errors.New("encryption.keys: wrong key")
	// ErrNoEpoch says that a delivery is sealed with an epoch that the key ring does not have.
	ErrNoEpoch = errors.New("the key ring does not have the epoch")
)

const (
	epochCommits  = 1 << 20
	maxDeliveries = 1 << 12 // in a commit
	createTimeout = 5 * time.Second
)

// Store keeps the wrapped epochs durably.
type Store interface {
	// Load returns all epochs.
	Load(ctx context.Context) ([][]byte, error)
	// Save replaces an epoch, and erases what it replaces once the new one is durable.
	Save(ctx context.Context, epoch string, data []byte) error
	// Remove erases an epoch.
	Remove(ctx context.Context, epoch string) error
}

// Ring is the key ring. It is safe for concurrent use.
type Ring struct {
	store  Store
	key    Key
	random io.Reader

	changing sync.Mutex // held while the store is written to
	mu       sync.Mutex
	epochs   map[string]tree
	sealing  map[int64]string // the epoch by commit number / epochCommits
	seal     cached
	open     cached
}

// cached is a walker and the epoch to which its keys belong.
type cached struct {
	epoch  string
	walker walker
}

// Open reads the key ring. The first of keys wraps; what the others have wrapped is wrapped
// again with the first, so that they may be taken out of the configuration
// afterwards. random is crypto/rand.Reader. Errors wrap ErrWrongKey or are the store's.
func Open(ctx context.Context, store Store, keys []Key, random io.Reader) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("encryption.keys: at least one is needed")
	}
	r := &Ring{store: store, key: keys[0], random: random, epochs: map[string]tree{}, sealing: map[int64]string{}}
	stored, err := store.Load(ctx)
	if err != nil {
		return nil, err
	}
	rotated := map[string]tree{}
	for _, data := range stored {
		epoch, t, keyID, err := unwrap(data, keys)
		if err != nil {
			return nil, err
		}
		number, err := epochNumber(epoch)
		if err != nil {
			return nil, err
		}
		r.epochs[epoch] = t
		r.sealing[number] = epoch
		if keyID != r.key.ID {
			rotated[epoch] = t
		}
	}
	return r, r.save(ctx, rotated)
}

// epochNumber returns which commits an epoch is for.
func epochNumber(epoch string) (int64, error) {
	number, _, ok := strings.Cut(epoch, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, fmt.Errorf("key ring: %q is not the name of an epoch", epoch)
	}
	return n, nil
}

// leaf returns where the delivery stands in its epoch.
func leaf(p ledger.Place) uint32 {
	return uint32(p.Sequence%epochCommits)*maxDeliveries + uint32(p.Index)
}

func valid(p ledger.Place) error {
	if p.Sequence < 1 || p.Index < 0 || p.Index >= maxDeliveries {
		return fmt.Errorf("%v is not a place of the ledger", p)
	}
	return nil
}

// Seal implements ledger.Sealer. The first delivery of an epoch waits until its root is stored.
func (r *Ring) Seal(place ledger.Place, d *ledgerv1.Delivery) error {
	if err := valid(place); err != nil {
		return err
	}
	number := place.Sequence / epochCommits
	r.mu.Lock()
	epoch := r.sealing[number]
	key, ok := r.seal.dataKey(epoch, r.epochs[epoch], leaf(place))
	r.mu.Unlock()
	if !ok {
		var err error
		if epoch, err = r.create(number); err != nil {
			return err
		}
		r.mu.Lock()
		key, ok = r.seal.dataKey(epoch, r.epochs[epoch], leaf(place))
		r.mu.Unlock()
		if !ok {
			return fmt.Errorf("the key for %v was forgotten before it was used", place)
		}
	}
	return encrypt(d, place, epoch, key, r.random)
}

// create makes an epoch with a random root. One that is there already is left: the key of a place
// was forgotten that is written again, after an old backup was restored.
func (r *Ring) create(number int64) (string, error) {
	var random [4 + keySize]byte
	if _, err := io.ReadFull(r.random, random[:]); err != nil {
		return "", err
	}
	epoch := fmt.Sprintf("%d-%s", number, hex.EncodeToString(random[:4]))
	ctx, cancel := context.WithTimeout(context.Background(), createTimeout)
	defer cancel()
	r.changing.Lock()
	defer r.changing.Unlock()
	if err := r.save(ctx, map[string]tree{epoch: newTree([keySize]byte(random[4:]))}); err != nil {
		return "", err
	}
	r.mu.Lock()
	r.sealing[number] = epoch
	r.mu.Unlock()
	return epoch, nil
}

// Open implements ledger.Sealer. Errors wrap ErrNoEpoch, or say that the content was tampered with.
func (r *Ring) Open(place ledger.Place, d *ledgerv1.Delivery) error {
	if err := valid(place); err != nil {
		return err
	}
	epoch := d.GetSealed().GetEpoch()
	r.mu.Lock()
	t, known := r.epochs[epoch]
	key, ok := r.open.dataKey(epoch, t, leaf(place))
	r.mu.Unlock()
	switch number, err := epochNumber(epoch); {
	case err != nil:
		return err
	case !known || number != place.Sequence/epochCommits:
		return fmt.Errorf("%w %s: restore a backup that has it", ErrNoEpoch, epoch)
	case !ok:
		blank(d)
		d.Sealed, d.Erased = nil, true
		return nil
	}
	return decrypt(d, place, key)
}

// Forget makes the content of the deliveries at places unreadable for good, and returns
// once that is durable. What is forgotten already is no error. Backups that were made
// before keep their own copy of the key ring.
func (r *Ring) Forget(ctx context.Context, places ...ledger.Place) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	changed := map[string]tree{}
	for _, p := range places {
		if err := valid(p); err != nil {
			return err
		}
		for epoch, t := range r.of(p.Sequence / epochCommits) {
			if newer, ok := changed[epoch]; ok {
				t = newer
			}
			if t, ok := t.punctured(leaf(p)); ok {
				changed[epoch] = t
			}
		}
	}
	return r.save(ctx, changed)
}

// Forgetful reports whether the key of any delivery was forgotten.
func (r *Ring) Forgetful() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.epochs {
		if !t.whole() {
			return true
		}
	}
	return false
}

// of returns the epochs for the commits of a number: one, but for what create says.
func (r *Ring) of(number int64) map[string]tree {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]tree{}
	for epoch, t := range r.epochs {
		if n, err := epochNumber(epoch); err == nil && n == number {
			found[epoch] = t
		}
	}
	return found
}

// Trimmed erases the epochs of which no commit is kept; first is the oldest that is.
func (r *Ring) Trimmed(ctx context.Context, first int64) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	r.mu.Lock()
	var gone []string
	for epoch := range r.epochs {
		if n, err := epochNumber(epoch); err == nil && (n+1)*epochCommits <= first {
			gone = append(gone, epoch)
		}
	}
	r.mu.Unlock()
	for _, epoch := range gone {
		if err := r.store.Remove(ctx, epoch); err != nil {
			return err
		}
		r.mu.Lock()
		delete(r.epochs, epoch)
		r.mu.Unlock()
	}
	return nil
}

// save stores trees and then uses them.
func (r *Ring) save(ctx context.Context, trees map[string]tree) error {
	for epoch, t := range trees {
		data, err := wrap(epoch, t, r.key, r.random)
		if err != nil {
			return err
		}
		if err := r.store.Save(ctx, epoch, data); err != nil {
			return fmt.Errorf("key ring: epoch %s: %w", epoch, err)
		}
		r.mu.Lock()
		r.epochs[epoch] = t
		// What was derived on the way may lead to what was forgotten.
		r.seal, r.open = cached{}, cached{}
		r.mu.Unlock()
	}
	return nil
}

func (c *cached) dataKey(epoch string, t tree, leaf uint32) ([keySize]byte, bool) {
	if c.epoch != epoch {
		*c = cached{epoch: epoch}
	}
	return c.walker.dataKey(t, leaf)
}
