package e2e

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/simulator"
)

// rotated is a key of an endpoint, and who sends with it.
type rotated struct {
	id       string
	auth     map[string]any
	signer   crypto.Signer // for jwt
	player   *simulator.Simulator
	accepted atomic.Int64
}

// crew are the senders of one provider. All of them use the key that is current.
type crew struct {
	provider string
	keys     []*rotated
	turn     sync.RWMutex // held for reading while a webhook is on its way
	current  *rotated
	accepted atomic.Int64
}

// newKey returns a fresh key for the scheme of a provider.
func newKey(t *testing.T, dir, provider, id string) *rotated {
	t.Helper()
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(random)
	k := &rotated{id: id}
	file := func(text string) map[string]any { return secretFile(t, dir, provider+"-"+id, text) }
	switch provider {
	case "clip":
		k.auth = map[string]any{"url_token": map[string]any{"secret": file(text)}}
	case "aci-opp":
		k.auth = map[string]any{"aes_gcm": map[string]any{"key": file(text)}}
	case "qitech":
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(private.Public())
		if err != nil {
			t.Fatal(err)
		}
		k.signer = private
		k.auth = map[string]any{"jwt": map[string]any{
			"algorithm": "ES256", "public_key": file(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))),
		}}
	default:
		t.Fatalf("no key for %s", provider)
	}
	k.auth["id"] = id
	return k
}

// configure has each crew's endpoint accept the keys from first to last.
func (s *site) configure(crews []*crew, first, last int) {
	endpoints := make([]map[string]any, len(crews))
	for i, c := range crews {
		var auth []any
		for _, k := range c.keys[first : last+1] {
			auth = append(auth, k.auth)
		}
		endpoints[i] = map[string]any{"provider": c.provider, "merchant": "acme", "mode": "live", "auth": auth}
	}
	s.values["endpoints"] = endpoints
}

// watchedConn counts when the other side ends it.
type watchedConn struct {
	net.Conn
	lost *atomic.Int64
}

// Read implements net.Conn.
func (c watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) { // else we have closed it ourselves
		c.lost.Add(1)
	}
	return n, err
}

// post sends one webhook with k and returns how it was answered.
func (k *rotated) post(client *http.Client) (status int, body string, err error) {
	req, err := k.player.Request(context.Background(), "", simulator.IDs{})
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.Close {
		err = errors.New("the answer says that the connection will be closed")
	}
	return resp.StatusCode, string(text), err
}

// send sends until stop is closed. Everything must be acknowledged as the provider expects.
func (c *crew) send(t *testing.T, client *http.Client, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		c.turn.RLock()
		k := c.current
		status, body, err := k.post(client)
		c.turn.RUnlock()
		if err != nil || status != http.StatusOK || body != "" {
			t.Errorf("%s with %s is answered %d %q (%v), want 200 and no body", c.provider, k.id, status, body, err)
			return
		}
		k.accepted.Add(1)
		c.accepted.Add(1)
	}
}

// goOn waits until each crew has had more webhooks acknowledged.
func goOn(t *testing.T, crews []*crew) {
	t.Helper()
	const more = 20
	for _, c := range crews {
		want := c.accepted.Load() + more
		eventually(t, func() error {
			if t.Failed() { // a sender has given up
				t.FailNow()
			}
			if n := c.accepted.Load(); n < want {
				return fmt.Errorf("%s: %d webhooks are acknowledged, waiting for %d", c.provider, n, want)
			}
			return nil
		})
	}
}

// Keys are replaced as the pages of the providers say, [old] to [old, new] to [new],
// again and again while webhooks keep coming. No sender notices: nothing is refused,
// and no connection is lost. The metrics tell when an old key was used last.
func TestKeysAreReplacedUnderLoadAndNoSenderNotices(t *testing.T) {
	const keys, sendersEach = 4, 2
	s := newSite(t, nil)
	crews := []*crew{{provider: "clip"}, {provider: "aci-opp"}, {provider: "qitech"}}
	for _, c := range crews {
		for i := range keys {
			c.keys = append(c.keys, newKey(t, s.dir, c.provider, fmt.Sprintf("key-%d", i)))
		}
		c.current = c.keys[0]
	}
	for i := range keys { // a sender knows one key
		s.configure(crews, i, i)
		s.write(t)
		cfg, err := config.Load(s.config)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range crews {
			if c.keys[i].player, err = simulator.New(simulator.Options{
				Config: cfg, Dir: s.dir, Provider: c.provider, BaseURL: s.http, Getenv: os.LookupEnv, SigningKey: c.keys[i].signer,
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.configure(crews, 0, 0)
	s.write(t)
	p := s.serve(t)

	var senders sync.WaitGroup
	var lost atomic.Int64 // connections
	stop := make(chan struct{})
	end := sync.OnceFunc(func() { close(stop); senders.Wait() })
	defer end()
	for _, c := range crews {
		for range sendersEach {
			senders.Go(func() {
				client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					return watchedConn{conn, &lost}, err
				}}}
				defer client.CloseIdleConnections()
				c.send(t, client, stop)
			})
		}
	}
	goOn(t, crews)
	var changed []float64 // when the senders changed from a key to the next, in Unix seconds
	for i := range keys - 1 {
		s.configure(crews, i, i+1)
		s.reload(t, p)
		goOn(t, crews)
		for _, c := range crews {
			c.turn.Lock()
		}
		changed = append(changed, float64(time.Now().UnixNano())/float64(time.Second))
		for _, c := range crews {
			c.current = c.keys[i+1]
			c.turn.Unlock()
		}
		goOn(t, crews)
		s.configure(crews, i+1, i+1)
		s.reload(t, p)
		goOn(t, crews)
	}
	end()
	if n := lost.Load(); n != 0 {
		t.Errorf("%d connections were ended by paynorm", n)
	}

	var sent int64
	for _, c := range crews {
		sent += c.accepted.Load()
		for i, k := range c.keys {
			if i < keys-1 {
				if status, _, err := k.post(http.DefaultClient); err != nil || status != http.StatusUnauthorized {
					t.Errorf("%s with %s, which was taken out, is answered %d (%v), want 401", c.provider, k.id, status, err)
				}
			}
			labels := fmt.Sprintf(`{key=%q,merchant="acme",provider=%q}`, k.id, c.provider)
			uses, err := s.metric("paynorm_key_uses_total" + labels)
			if err != nil || uses != float64(k.accepted.Load()) {
				t.Errorf("%s: the metrics tell of %v uses of %s (%v), want %d", c.provider, uses, k.id, err, k.accepted.Load())
			}
			last, err := s.metric("paynorm_key_last_used_timestamp_seconds" + labels)
			if err != nil || i > 0 && last < changed[i-1] || i < keys-1 && last > changed[i] {
				t.Errorf("%s: %s was last used at %f (%v), but the senders changed at %f", c.provider, k.id, last, err, changed)
			}
		}
	}
	if stored := s.delivered(t, ""); int64(stored) != sent {
		t.Errorf("%d deliveries are stored, %d were acknowledged", stored, sent)
	}
	s.projected(t)
	if code := p.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
