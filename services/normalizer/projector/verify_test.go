package projector_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/paynorm/paynorm/internal/natsd/natsdtest"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

func (p *pipeline) verify(t *testing.T, adapter words) projector.Report {
	t.Helper()
	told := int64(0)
	report, err := projector.Verify(t.Context(), projector.VerifyOptions{
		Ledger: p.ledger, Normalizer: normalize.New([]provider.Adapter{adapter}), Events: p.events, View: p.view,
		Path: filepath.Join(t.TempDir(), "verify.db"), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Progress: func(done, total int64) { told = total - done },
	})
	if err != nil {
		t.Fatal(err)
	}
	if told != 0 {
		t.Errorf("%d commits are left at the end", told)
	}
	return report
}

func TestVerifySaysWhereTheStreamIsNotWhatTheLedgerGives(t *testing.T) {
	server, file, published := site(t)
	p := open(t, server, file)
	defer p.end(t)
	before, err := p.events.Extent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		adapter words
		want    projector.Report
	}{
		{"nothing", words{}, projector.Report{Messages: 6}},
		{"a status that is understood now", words{reads: map[string]string{"NONSENSE": "REVERSED"}}, projector.Report{
			Messages: 6, Different: 1,
			Differences: []projector.Difference{{Cursor: 4, What: "subject, kind of message"}},
		}},
		{"an item that is skipped now", words{reads: map[string]string{"NONSENSE": "NOTHING"}}, projector.Report{
			Messages: 5, Surplus: 1, Different: 2,
			Differences: []projector.Difference{{Cursor: 4, What: "surplus"}, {Cursor: 5, What: "cursor"}, {Cursor: 6, What: "cursor"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ignored := cmpopts.IgnoreFields(projector.Difference{}, "Position", "Name")
			if diff := cmp.Diff(c.want, p.verify(t, c.adapter), ignored); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
	if after, err := p.events.Extent(t.Context()); err != nil || after != before {
		t.Errorf("the stream was %v and is %v (%v)", before, after, err)
	}

	// A stream that lacks its end is behind; one that lacks a message of the middle is not what it should be.
	if err := eventstream.Delete(t.Context(), natsdtest.Connect(t, server)); err != nil {
		t.Fatal(err)
	}
	q := prepare(t, server, filepath.Join(t.TempDir(), "other.db"), words{})
	defer q.end(t)
	if err := q.events.Publish(t.Context(), 0, published[:2]); err != nil {
		t.Fatal(err)
	}
	published[4].Event.Cursor, published[4].Data = 3, nil
	if err := q.events.Publish(t.Context(), 2, published[4:5]); err != nil {
		t.Fatal(err)
	}
	got := q.verify(t, words{})
	if got.Missing != 2 || got.Different != 1 || got.Pending != 1 || got.Messages != 6 {
		t.Errorf("got %+v; want 2 missing, 1 with another cursor, 1 pending", got)
	}
}
