package projector_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/projector"
)

// forgets stands for a key ring that has forgotten the keys of some commits.
type forgets map[int64]bool

func (forgets) Seal(_ ledger.Place, d *ledgerv1.Delivery) error {
	d.Sealed = &ledgerv1.Sealed{Epoch: "one", Ciphertext: d.GetBody()}
	d.Body = nil
	return nil
}

func (f forgets) Open(at ledger.Place, d *ledgerv1.Delivery) error {
	if d.Erased = f[at.Sequence]; !d.GetErased() {
		d.Body = d.GetSealed().GetCiphertext()
	}
	d.Sealed = nil
	return nil
}

func TestWhatWasErasedIsVerifiedByWhatWasPublishedOfIt(t *testing.T) {
	server, file := natsdtest.Start(t, ""), filepath.Join(t.TempDir(), "view.db")
	lost := forgets{}
	before := openWith(t, server, file, words{sealer: lost})
	before.accept(t, "p1 PENDING 1\np2 CAPTURED 1\np1 TELEPORTED 2", "p1 COLLECTED 2", "p2 PENDING 1")
	before.run(t)
	before.ledger.Close()
	fixed := words{reads: map[string]string{"COLLECTED": "PAID"}, sealer: lost}
	p := openWith(t, server, file, fixed)
	p.command(t, "deliveries/d2-0")
	p.accept(t, "p1 REVERSED 5")
	p.run(t)
	p.ledger.Close()
	lost[1], lost[2] = true, true

	q := openWith(t, server, file, fixed)
	q.accept(t, "p1 PENDING 0", "p2 PAID 3\np1 PENDING 1")
	q.run(t)
	q = openWith(t, server, file, fixed)
	defer q.end(t)
	want := projector.Report{Messages: int64(len(q.published(t)))}
	if diff := cmp.Diff(want, q.verify(t, fixed)); diff != "" {
		t.Errorf("report (-want +got):\n%s\nof %s", diff, summary(q.published(t)))
	}
}
