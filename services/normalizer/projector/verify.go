package projector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/view"
)

// maxDifferences bounds the differences that a Report lists; it counts all.
const maxDifferences = 100

// Difference is a message that the ledger gives and the stream does not have so, or the other way round.
type Difference struct {
	Position *eventv1.LedgerPosition // where it comes from
	Name     string                  // of the message that the ledger gives; of the stored one when it gives none
	Cursor   int64                   // of the stored message; of the other when it is missing
	// What says what differs: "missing", "surplus", or the names of fields, "subject" among them.
	What string
}

// Report is what Verify found.
type Report struct {
	Messages                    int64 // that the ledger gives
	Missing, Surplus, Different int64
	Pending                     int64 // behind the end of the stream: not published yet
	Trimmed                     int64 // before the beginning of the stream
	Differences                 []Difference
}

// VerifyOptions says what Verify works with.
type VerifyOptions struct {
	Ledger     *ledger.Ledger
	Normalizer *normalize.Normalizer
	Events     *eventstream.Stream
	// View is that of Events: it tells what was published of deliveries whose content
	// was erased, which the ledger cannot. Nil takes that for surplus.
	View *view.View
	// Path is where a view is made and deleted again; nothing may be there. It
	// grows about as large as the real one.
	Path     string
	Now      func() time.Time
	Logger   *slog.Logger
	Progress func(done, total int64) // told of commits; may be nil
}

// Verify projects the whole ledger again, with the mapping of today and without
// publishing, and compares what comes out with the event stream. paynorm may be at
// work meanwhile. Errors wrap ErrInconsistent when the ledger was trimmed, or are
// those of reading.
func Verify(ctx context.Context, o VerifyOptions) (report Report, err error) {
	if err := Rebuildable(ctx, o.Ledger, nil); err != nil {
		return Report{}, err
	}
	extent, err := o.Events.Extent(ctx)
	if err != nil {
		return Report{}, err
	}
	end, err := o.Ledger.End(ctx) // after the stream, whose messages are all of commits before it
	if err != nil || end == 0 {
		return Report{Surplus: extent.Messages}, err
	}
	v, err := view.Open(ctx, o.Path)
	if err != nil {
		return Report{}, err
	}
	defer func() {
		err = errors.Join(err, v.Close(), view.Remove(o.Path))
	}()
	stored, err := openStored(ctx, o.Events, extent)
	if err != nil {
		return Report{}, err
	}
	defer stored.close()
	c := &comparison{stored: stored}
	p := New(Options{
		Ledger: o.Ledger, Normalizer: o.Normalizer, View: v, Observer: silent{}, Watchers: silent{}, Now: o.Now, Logger: o.Logger,
	})
	p.events, p.published = c, o.View
	if o.Progress != nil {
		p.progressed = func() { o.Progress(p.Done(), end) }
	}
	if err := p.follow(ctx, end); err != nil {
		return Report{}, err
	}
	err = c.end()
	return c.report, err
}

// silent is told and does nothing.
type silent struct{}

func (silent) Projected(string, normalize.Item, bool)         {}
func (silent) Drifted(string, []string, time.Time)            {}
func (silent) Publish([]*eventv1.PaymentStatusChanged, int64) {}
func (silent) Reset(int64)                                    {}

// stored is the stream as it is compared.
type stored struct {
	*reading
	first, last *eventv1.LedgerPosition // of the stream when it was opened
	portion     []eventstream.Message
}

func openStored(ctx context.Context, s *eventstream.Stream, extent eventstream.Extent) (*stored, error) {
	out := &stored{}
	if extent.Messages > 0 {
		first, err := s.Get(ctx, extent.First)
		if err != nil {
			return nil, err
		}
		last, err := s.Get(ctx, extent.Last)
		if err != nil {
			return nil, err
		}
		out.first, out.last = first.Position(), last.Position()
	}
	out.reading = readAhead(ctx, s, extent.First-1, extent.Last, 2)
	return out, nil
}

// peek returns the next message; ok is false when there is none.
func (s *stored) peek() (m eventstream.Message, ok bool, err error) {
	for len(s.portion) == 0 {
		if s.portion, err = s.next(); err != nil || s.portion == nil {
			return eventstream.Message{}, false, err
		}
	}
	return s.portion[0], true, nil
}

func (s *stored) advance() { s.portion = s.portion[1:] }
