package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Keys is the name of the key ring's stream. It is not part of the ledger's chain, because
// what is erased from it must be gone.
const Keys = "PAYNORM_KEYS"

const keySubject = "paynorm.keys.v1."

// KeyStore keeps the epochs of the key ring, each under a subject of its own. It is
// for one process.
type KeyStore struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	mu     sync.Mutex
	stored map[string][]uint64 // the messages of each subject; the last one counts
}

// OpenKeyStore makes sure that the stream exists.
func OpenKeyStore(ctx context.Context, conn *nats.Conn, replicas int) (*KeyStore, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        Keys,
		Description: "paynorm: the key ring of the encrypted ledger, wrapped",
		Subjects:    []string{keySubject + ">"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Replicas:    replicas,
		Duplicates:  minDuplicates,
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Keys, err)
	}
	return &KeyStore{js: js, stream: s, stored: map[string][]uint64{}}, nil
}

// Load returns the epochs and erases what was replaced by them, in case that was cut short.
func (k *KeyStore) Load(ctx context.Context) ([][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	newest := map[string][]byte{}
	clear(k.stored)
	err := eachKey(ctx, k.stream, func(msg *jetstream.RawStreamMsg) error {
		k.stored[msg.Subject] = append(k.stored[msg.Subject], msg.Sequence)
		newest[msg.Subject] = msg.Data
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([][]byte, 0, len(newest))
	for subject, data := range newest {
		if err := k.erase(ctx, subject, 1); err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// eachKey calls f with each message of the key ring's stream, in their order.
func eachKey(ctx context.Context, stream jetstream.Stream, f func(*jetstream.RawStreamMsg) error) error {
	for next := uint64(1); ; {
		msg, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(keySubject+">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: stream %s: %w", ErrUnavailable, Keys, err)
		}
		if err := f(msg); err != nil {
			return err
		}
		next = msg.Sequence + 1
	}
}

// Save stores an epoch and then erases what it replaces. After an error the new one
// may be stored beside the old one; the next Save or Load erases the old one.
func (k *KeyStore) Save(ctx context.Context, epoch string, data []byte) error {
	if epoch == "" || strings.ContainsAny(epoch, ".*> \t\r\n") {
		return fmt.Errorf("%q cannot be the name of an epoch", epoch)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	subject := keySubject + epoch
	ack, err := k.js.Publish(ctx, subject, data, jetstream.WithExpectStream(Keys), jetstream.WithRetryAttempts(0))
	if err != nil {
		return fmt.Errorf("%w: stream %s: %w", ErrUnavailable, Keys, err)
	}
	k.stored[subject] = append(k.stored[subject], ack.Sequence)
	return k.erase(ctx, subject, 1)
}

// Remove erases an epoch.
func (k *KeyStore) Remove(ctx context.Context, epoch string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.erase(ctx, keySubject+epoch, 0)
}

// erase overwrites the messages of subject, but for the newest ones.
func (k *KeyStore) erase(ctx context.Context, subject string, newest int) error {
	for stored := k.stored[subject]; len(stored) > newest; stored = k.stored[subject] {
		if err := k.stream.SecureDeleteMsg(ctx, stored[0]); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("%w: erase a key: %w", ErrUnavailable, err)
		}
		k.stored[subject] = stored[1:]
	}
	if len(k.stored[subject]) == 0 {
		delete(k.stored, subject)
	}
	return nil
}
