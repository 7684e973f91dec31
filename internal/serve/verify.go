package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/filter"
	"github.com/paynorm/paynorm/services/normalizer/projector"
	"google.golang.org/protobuf/proto"
)

// Progress is how far a long command is.
type Progress struct {
	What  string `json:"what"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// VerifyReport is what Verify has found.
type VerifyReport struct {
	FirstCommit, LastCommit int64 // of the ledger, whose chain of hashes was checked
	Events                  projector.Report
	// Trimmed says that the ledger was trimmed, so that events could not be derived again.
	Trimmed bool
	// ViewDiffers counts events that the view does not have as the stream has them.
	ViewDiffers int64
}

// Whole reports whether everything is as it should be.
func (r VerifyReport) Whole() bool {
	return r.Events.Missing == 0 && r.Events.Surplus == 0 && r.Events.Different == 0 && r.ViewDiffers == 0
}

// Verify checks the whole store, also while paynorm is running: the chain of the
// ledger, the events against the ledger, and the view against the events.
func Verify(ctx context.Context, o Options, tell func(Progress)) (VerifyReport, error) {
	p, err := inPlace(ctx, o)
	if err != nil {
		return VerifyReport{}, err
	}
	defer p.closers.close()
	s, err := p.openStores(ctx, nobody)
	if errors.Is(err, errInUse) {
		return p.running().verify(ctx, tell)
	}
	if err != nil {
		return VerifyReport{}, err
	}
	defer s.ledger.Close()
	return maintenance{p, s}.verify(ctx, tell)
}

func (r running) verify(ctx context.Context, tell func(Progress)) (report VerifyReport, err error) {
	err = r.post(ctx, "/verify", nil, func(body io.Reader) error {
		for in := json.NewDecoder(body); ; {
			var l verifyLine
			if err := in.Decode(&l); err != nil {
				return fmt.Errorf("the running paynorm stopped in between: %w", err)
			}
			switch {
			case l.Error != "":
				return errors.New(l.Error)
			case l.Report != nil:
				report = *l.Report
				return nil
			case l.Progress != nil:
				tell(*l.Progress)
			}
		}
	})
	return report, err
}

func (m maintenance) verify(ctx context.Context, tell func(Progress)) (report VerifyReport, err error) {
	if report.FirstCommit, err = m.ledger.First(ctx); err != nil {
		return report, err
	}
	if report.LastCommit, err = m.ledger.End(ctx); err != nil {
		return report, err
	}
	report.Trimmed = report.FirstCommit > 1
	if report.Trimmed {
		if err := m.verifyChain(ctx, report, tell); err != nil {
			return report, err
		}
	} else {
		dir, err := os.MkdirTemp(m.Config.GetDataDir(), verifyPrefix)
		if err != nil {
			return report, err
		}
		defer os.RemoveAll(dir)
		report.Events, err = projector.Verify(ctx, projector.VerifyOptions{
			Ledger: m.ledger, Normalizer: m.normalize, Events: m.events, View: m.view, Path: filepath.Join(dir, viewFile), Now: time.Now, Logger: m.Logger,
			Progress: func(done, total int64) { tell(Progress{"ledger and events", done, total}) },
		})
		if err != nil {
			return report, err
		}
	}
	report.ViewDiffers, err = m.verifyView(ctx, tell)
	return report, err
}

// verifyChain reads the ledger, whose reader checks the chain.
func (m maintenance) verifyChain(ctx context.Context, report VerifyReport, tell func(Progress)) error {
	commits, err := m.ledger.ReadAfter(ctx, report.FirstCommit-1)
	if err != nil {
		return err
	}
	defer commits.Close()
	for at := report.FirstCommit - 1; at < report.LastCommit; {
		next, err := commits.Next(ctx, eventstream.MaxBatch)
		if err != nil {
			return err
		}
		at = next[len(next)-1].GetOrdinal()
		tell(Progress{"ledger", at, report.LastCommit})
	}
	return nil
}

// verifyView compares the events of the stream with those of the view.
func (m maintenance) verifyView(ctx context.Context, tell func(Progress)) (differs int64, err error) {
	extent, err := m.events.Extent(ctx)
	if err != nil || extent.Messages == 0 {
		return 0, err
	}
	at, err := m.view.Position(ctx)
	if err != nil {
		return 0, err
	}
	last := min(extent.Last, at.Cursor)
	if last < extent.First {
		return 0, nil
	}
	err = m.events.ReadAfter(ctx, extent.First-1, last, func(portion []eventstream.Message) error {
		var want []*eventv1.PaymentStatusChanged
		for _, message := range portion {
			if message.Event != nil {
				want = append(want, message.Event)
			}
		}
		got, err := m.view.EventsAfter(ctx, portion[0].Cursor()-1, filter.Conditions{}, len(want)+1)
		if err != nil {
			return err
		}
		for i, e := range want {
			if i >= len(got) || !proto.Equal(e, got[i]) {
				differs++
			}
		}
		tell(Progress{"events and view", portion[len(portion)-1].Cursor(), last})
		return nil
	})
	return differs, err
}
