package sender

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/internal/simulator"
)

// next makes a webhook: mostly news of a payment, at times something old again,
// byte for byte or made anew with other send times.
func (s *sender) next(ctx context.Context) (*delivery, error) {
	if len(s.past) > 0 && s.rand.IntN(4) == 0 {
		old := s.past[s.rand.IntN(len(s.past))]
		if s.rand.IntN(2) == 0 && time.Since(old.made) < sameBytesFor {
			return old, nil
		}
		return s.again(ctx, old)
	}
	return s.news(ctx)
}

func (s *sender) news(ctx context.Context) (*delivery, error) {
	if len(s.payments) < 8 {
		ids, err := s.sim.NewIDs()
		if err != nil {
			return nil, err
		}
		s.payments = append(s.payments, ids)
	}
	i := s.rand.IntN(len(s.payments))
	ids := s.payments[i]
	if s.rand.IntN(8) == 0 { // its last one
		s.payments[i] = s.payments[len(s.payments)-1]
		s.payments = s.payments[:len(s.payments)-1]
	}
	if s.provider == "aci-opp" { // else the simulator makes one up, and the operation could not be told again
		ids.Operation = fmt.Sprintf("%016x%016x", s.rand.Uint64(), s.rand.Uint64())
	}
	return s.build(ctx, s.cases[s.rand.IntN(len(s.cases))].Name, ids, time.Now())
}

// again tells the facts of old once more. ACI's key has the time of the fact in it.
func (s *sender) again(ctx context.Context, old *delivery) (*delivery, error) {
	if s.provider == "aci-opp" {
		s.frozen = old.made
		defer func() { s.frozen = time.Time{} }()
	}
	return s.build(ctx, old.name, old.ids, old.made)
}

func (s *sender) build(ctx context.Context, name string, ids simulator.IDs, made time.Time) (*delivery, error) {
	req, err := s.sim.Request(ctx, name, ids)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	d := &delivery{request: req, body: body, made: made, name: name, ids: ids}
	if err := s.remember(d); err != nil {
		s.err = fmt.Errorf("%s: %w", name, err)
		return nil, s.err
	}
	return d, nil
}

func (s *sender) remember(d *delivery) error {
	key := history.Digest(sha256.Sum256(d.body))
	if s.sent[key] == nil {
		plaintext := d.body
		if s.provider == "aci-opp" {
			var err error
			if plaintext, err = s.open.open(d.request.Header, d.body); err != nil {
				return err
			}
		}
		found, err := items(s.provider, plaintext)
		if err != nil {
			return err
		}
		s.sent[key] = &history.Sent{Provider: s.provider, Items: found}
	}
	if len(s.past) < remembered {
		s.past = append(s.past, d)
	} else {
		s.past[s.rand.IntN(remembered)] = d
	}
	return nil
}

// opener decrypts what the simulator has sealed as ACI does.
type opener struct{ aead cipher.AEAD }

func newOpener(key string) (opener, error) {
	raw, err := hex.DecodeString(key)
	if err != nil {
		return opener{}, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return opener{}, err
	}
	aead, err := cipher.NewGCM(block)
	return opener{aead}, err
}

func (o opener) open(h http.Header, body []byte) ([]byte, error) {
	iv, err := hex.DecodeString(h.Get("X-Initialization-Vector"))
	if err != nil {
		return nil, err
	}
	sealed, err := hex.DecodeString(string(body) + h.Get("X-Authentication-Tag"))
	if err != nil {
		return nil, err
	}
	return o.aead.Open(nil, iv, sealed, nil)
}
