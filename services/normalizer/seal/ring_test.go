package seal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/seal"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// memory is a store that lasts as long as a test. The real one is tested with the ledger.
type memory map[string][]byte

func (m memory) Load(context.Context) ([][]byte, error) { return slices.Collect(maps.Values(m)), nil }
func (m memory) Save(_ context.Context, epoch string, data []byte) error {
	m[epoch] = data
	return nil
}
func (m memory) Remove(_ context.Context, epoch string) error {
	delete(m, epoch)
	return nil
}

func key(id string, b byte) seal.Key {
	k := seal.Key{ID: id}
	for i := range k.Secret {
		k.Secret[i] = b
	}
	return k
}

func open(t testing.TB, store seal.Store, keys ...seal.Key) *seal.Ring {
	t.Helper()
	if len(keys) == 0 {
		keys = []seal.Key{key("k1", 1)}
	}
	r, err := seal.Open(t.Context(), store, keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func delivery() *ledgerv1.Delivery {
	return &ledgerv1.Delivery{
		Provider: "clip", Merchant: "acme", Method: "POST", Path: "/webhooks/1", RawQuery: "a=b",
		Headers: []*ledgerv1.Header{{Name: "x-one", Value: []byte("two")}},
		Body:    []byte(`{"payer":"someone"}`), Plaintext: []byte("plain"), RemoteAddress: "192.0.2.1",
	}
}

func sealAt(t testing.TB, r *seal.Ring, p ledger.Place) *ledgerv1.Delivery {
	t.Helper()
	d := delivery()
	if err := r.Seal(p, d); err != nil {
		t.Fatal(err)
	}
	return d
}

func at(sequence int64, index int) ledger.Place {
	return ledger.Place{Sequence: sequence, Index: index}
}

func TestSealedDeliveryOpensAsItWas(t *testing.T) {
	r := open(t, memory{})
	d := sealAt(t, r, at(7, 3))
	if d.GetSealed() == nil || d.GetPath() != "" || d.GetRawQuery() != "" || d.Headers != nil || d.Body != nil || d.Plaintext != nil || d.GetRemoteAddress() != "" {
		t.Errorf("something is left in the clear: %v", d)
	}
	if d.GetProvider() != "clip" || d.GetMethod() != "POST" {
		t.Errorf("something that is not content is gone: %v", d)
	}
	if err := r.Open(at(7, 3), d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(delivery(), d, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasMovedOrChangedDoesNotOpen(t *testing.T) {
	r := open(t, memory{})
	tests := map[string]struct {
		place  ledger.Place
		change func(*ledgerv1.Delivery)
	}{
		"other index":      {at(7, 4), func(*ledgerv1.Delivery) {}},
		"other commit":     {at(8, 3), func(*ledgerv1.Delivery) {}},
		"other epoch":      {at(7+1<<20, 3), func(*ledgerv1.Delivery) {}},
		"other merchant":   {at(7, 3), func(d *ledgerv1.Delivery) { d.Merchant = "other" }},
		"other provider":   {at(7, 3), func(d *ledgerv1.Delivery) { d.Provider = "other" }},
		"border moved":     {at(7, 3), func(d *ledgerv1.Delivery) { d.Provider, d.Merchant = "clipa", "cme" }},
		"byte flipped":     {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Ciphertext[5] ^= 1 }},
		"nonce flipped":    {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Nonce[5] ^= 1 }},
		"nonce cut":        {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Nonce = d.Sealed.Nonce[:5] }},
		"cut":              {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Ciphertext = d.Sealed.Ciphertext[:5] }},
		"epoch unknown":    {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Epoch = "0-00000000" }},
		"epoch not a name": {at(7, 3), func(d *ledgerv1.Delivery) { d.Sealed.Epoch = "x" }},
		"place is none":    {at(0, 3), func(*ledgerv1.Delivery) {}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := sealAt(t, r, at(7, 3))
			tt.change(d)
			if err := r.Open(tt.place, d); err == nil || d.GetErased() || d.Body != nil {
				t.Errorf("got %v (%v), want an error and nothing opened", d, err)
			}
		})
	}
}

func TestForgottenDeliveryIsErasedAndItsNeighborsAreNot(t *testing.T) {
	store := memory{}
	r := open(t, store)
	places := []ledger.Place{at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(1<<20-1, 4095), at(1<<20, 0), at(1<<20, 1), at(3<<20+77, 9)}
	forgotten := []ledger.Place{at(1, 1), at(1<<20, 0), at(1<<20-1, 4095)}
	sealed := map[ledger.Place]*ledgerv1.Delivery{}
	for _, p := range places {
		sealed[p] = sealAt(t, r, p)
	}
	if r.Forgetful() {
		t.Error("the ring says that it has forgotten something")
	}
	for range 2 { // the second time changes nothing
		if err := r.Forget(t.Context(), forgotten...); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]*seal.Ring{"at once": r, "after a restart": open(t, store)} {
		if !r.Forgetful() {
			t.Errorf("%s: the ring says that it has forgotten nothing", name)
		}
		for _, p := range places {
			d := proto.CloneOf(sealed[p])
			if err := r.Open(p, d); err != nil {
				t.Errorf("%s: %v: %v", name, p, err)
			}
			if want := slices.Contains(forgotten, p); d.GetErased() != want || (d.Body == nil) != want {
				t.Errorf("%s: %v: erased is %t, want %t", name, p, d.GetErased(), want)
			}
		}
	}
}

// An old backup may be restored behind a newer key ring.
func TestForgottenPlaceCanBeWrittenAgain(t *testing.T) {
	store := memory{}
	r := open(t, store)
	before := sealAt(t, r, at(5, 0))
	if err := r.Forget(t.Context(), at(5, 0)); err != nil {
		t.Fatal(err)
	}
	after := sealAt(t, r, at(5, 0))
	r = open(t, store)
	if err := r.Open(at(5, 0), after); err != nil || after.GetErased() {
		t.Errorf("what was written later: %v, erased %t", err, after.GetErased())
	}
	if err := r.Open(at(5, 0), before); err != nil || !before.GetErased() {
		t.Errorf("what was forgotten: %v, erased %t", err, before.GetErased())
	}
}

func TestWrongKeyIsRefusedByItsName(t *testing.T) {
	store := memory{}
	sealAt(t, open(t, store, key("k1", 1)), at(1, 0))
	for name, keys := range map[string][]seal.Key{
		"same name, other key": {key("k1", 9)},
		"other name":           {key("k2", 1)},
	} {
		_, err := seal.Open(t.Context(), store, keys, rand.Reader)
		if !errors.Is(err, seal.ErrWrongKey) || !strings.Contains(err.Error(), `"k1"`) {
			t.Errorf("%s: got %v, want ErrWrongKey that names k1", name, err)
		}
	}
	if _, err := seal.Open(t.Context(), store, nil, rand.Reader); err == nil {
		t.Error("no key: no error")
	}
}

func TestRotatedKeyCanBeTakenOut(t *testing.T) {
	store := memory{}
	d := sealAt(t, open(t, store, key("k1", 1)), at(1, 0))
	open(t, store, key("k2", 2), key("k1", 1))
	if err := open(t, store, key("k2", 2)).Open(at(1, 0), d); err != nil || d.Body == nil {
		t.Errorf("after the rotation: %v (%v)", d, err)
	}
	if _, err := seal.Open(t.Context(), store, []seal.Key{key("k1", 1)}, rand.Reader); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("with the old key alone: %v, want ErrWrongKey", err)
	}
}

func TestEpochsOfTrimmedCommitsAreRemoved(t *testing.T) {
	store := memory{}
	r := open(t, store)
	for n := range int64(3) {
		sealAt(t, r, at(n<<20+1, 0))
	}
	for _, tt := range []struct {
		first int64
		want  int
	}{{1<<20 - 1, 3}, {1 << 20, 2}, {1<<20 + 5, 2}, {3 << 20, 0}} {
		if err := r.Trimmed(t.Context(), tt.first); err != nil {
			t.Fatal(err)
		}
		if len(store) != tt.want {
			t.Errorf("%d epochs are left of commits from %d on, want %d", len(store), tt.first, tt.want)
		}
	}
}

func TestSealChangesNothingThatItPointsTo(t *testing.T) {
	d := delivery()
	body := d.GetBody()
	if err := open(t, memory{}).Seal(at(1, 0), d); err != nil {
		t.Fatal(err)
	}
	if string(body) != string(delivery().GetBody()) {
		t.Error("the body was overwritten")
	}
}

func BenchmarkSeal1KB(b *testing.B) {
	r := open(b, memory{})
	body := make([]byte, 1024)
	for i := 0; b.Loop(); i++ {
		d := &ledgerv1.Delivery{Provider: "clip", Merchant: "acme", Body: body}
		if err := r.Seal(at(1+int64(i)/100, i%100), d); err != nil {
			b.Fatal(err)
		}
	}
}
