package ledger_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/seal"
	"google.golang.org/protobuf/testing/protocmp"
)

func ring(t testing.TB, s *natsd.Server) *seal.Ring {
	t.Helper()
	store, err := ledger.OpenKeyStore(t.Context(), natsdtest.Connect(t, s), 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := seal.Open(t.Context(), store, []seal.Key{{ID: "k1", Secret: [32]byte{1}}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func private() *ledgerv1.Delivery {
	text := "marigold"
	return &ledgerv1.Delivery{
		Provider: "clip", Merchant: "acme", Method: "POST", Path: "/" + text + "-path", RawQuery: text + "=query",
		Headers: []*ledgerv1.Header{{Name: text + "-name", Value: []byte(text + "-value")}},
		Body:    []byte(text + "-body"), Plaintext: []byte(text + "-plain"), RemoteAddress: text + "-address",
	}
}

// onDisk counts the files below dir that have text in them.
func onDisk(t *testing.T, dir string, text []byte) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, text) {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPlainTextOfSealedDeliveriesIsNotOnDisk(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		dir := t.TempDir()
		s := natsdtest.Start(t, filepath.Join(dir, "nats"))
		var sealer ledger.Sealer
		if sealed {
			sealer = ring(t, s)
		}
		l, err := openIn(t, s, dir, sealer)
		if err != nil {
			t.Fatal(err)
		}
		sent := private()
		if _, err := l.Append(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(private(), sent, protocmp.Transform()); diff != "" {
			t.Errorf("the sender's delivery has changed: %s", diff)
		}
		got := read(t, l, 1)[ledger.Place{Sequence: 1}]
		if diff := cmp.Diff(private(), got, protocmp.Transform()); diff != "" {
			t.Errorf("read: %s", diff)
		}
		l.Close()
		s.Shutdown()
		if n := onDisk(t, dir, []byte("marigold")); (n == 0) != sealed {
			t.Errorf("sealed %t: the plain text is in %d files", sealed, n)
		}
	}
}

func TestErasedDeliveryStaysErasedAndTheChainHolds(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "nats")
	s := natsdtest.Start(t, store)
	keys := ring(t, s)
	l, err := openIn(t, s, dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Append(t.Context(), private()); err != nil {
			t.Fatal(err)
		}
	}
	before := wrapped(t, l)
	if err := keys.Forget(t.Context(), ledger.Place{Sequence: 2}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // at once, and after a restart
		for place, d := range read(t, l, 3) {
			if want := place.Sequence == 2; d.GetErased() != want || (len(d.GetBody()) == 0) != want {
				t.Errorf("commit %d: erased is %t, want %t", place.Sequence, d.GetErased(), want)
			}
		}
		if c, err := l.Get(t.Context(), 2); err != nil || !c.GetDeliveries()[0].GetErased() {
			t.Errorf("get: %v, %v; want it erased", c, err)
		}
		l.Close()
		s.Shutdown()
		if n := onDisk(t, store, before); n > 0 {
			t.Errorf("the key ring as it was before is in %d files", n)
		}
		s = natsdtest.Start(t, store)
		if l, err = openIn(t, s, dir, ring(t, s)); err != nil {
			t.Fatal(err)
		}
	}
}

// wrapped returns the key ring's only epoch as it is stored.
func wrapped(t *testing.T, l *ledger.Ledger) []byte {
	t.Helper()
	data, s := backup(t, l)
	if s.Keys != 1 {
		t.Fatalf("%d epochs, want one", s.Keys)
	}
	begin := bytes.Index(data, []byte("paynorm.keys.v1."))
	begin += bytes.IndexByte(data[begin:], '\n') + 1
	return data[begin : begin+60]
}

func TestSealedLedgerWithoutAKeySaysWhichSettingIsMissing(t *testing.T) {
	dir := t.TempDir()
	s := natsdtest.Start(t, filepath.Join(dir, "nats"))
	l, err := openIn(t, s, dir, ring(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), private()); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := openIn(t, s, dir, nil); !errors.Is(err, ledger.ErrSealed) || !strings.Contains(err.Error(), "encryption.keys") {
		t.Errorf("got %v, want ErrSealed that names encryption.keys", err)
	}
}

func TestBackupOfASealedLedgerStaysSealedAndOpens(t *testing.T) {
	s := natsdtest.Start(t, "")
	l, err := openIn(t, s, t.TempDir(), ring(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), private()); err != nil {
		t.Fatal(err)
	}
	data, _ := backup(t, l)
	if bytes.Contains(data, []byte("marigold")) {
		t.Error("the plain text is in the backup")
	}
	dir := t.TempDir()
	other := natsdtest.Start(t, filepath.Join(dir, "nats"))
	if _, err := restore(t, other, dir, data); err != nil {
		t.Fatal(err)
	}
	restored, err := openIn(t, other, dir, ring(t, other))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, restored, 1)[ledger.Place{Sequence: 1}]
	if diff := cmp.Diff(private(), got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// A crash after the new key ring is stored and before the old one is erased leaves both.
func TestReplacedKeysAreErasedAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	s := natsdtest.Start(t, dir)
	conn := natsdtest.Connect(t, s)
	if _, err := ledger.OpenKeyStore(t.Context(), conn, 1); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"old-one-of-the-keys", "new-one-of-the-keys"} {
		if _, err := conn.Request("paynorm.keys.v1.0-aa", []byte(data), ackTimeout); err != nil {
			t.Fatal(err)
		}
	}
	store, err := ledger.OpenKeyStore(t.Context(), conn, 1)
	if err != nil {
		t.Fatal(err)
	}
	all, err := store.Load(t.Context())
	if err != nil || len(all) != 1 || string(all[0]) != "new-one-of-the-keys" {
		t.Errorf("loaded %q (%v), want the new one", all, err)
	}
	s.Shutdown()
	if n := onDisk(t, dir, []byte("old-one-of-the-keys")); n > 0 {
		t.Errorf("the old one is in %d files", n)
	}
	if n := onDisk(t, dir, []byte("new-one-of-the-keys")); n == 0 {
		t.Error("the new one is not there")
	}
}
