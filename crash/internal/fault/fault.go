// Package fault builds paynorm with a fault planted, to prove that the harness
// finds it, or with its clock run ahead. The source is not touched: go build is
// told to read the changed files from elsewhere.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/paynorm/paynorm/crash/internal/history"
)

// Fault is a change of the source that breaks a promise.
type Fault struct {
	Name  string
	Title string
	// Power says that a power cut shows it, and a kill does not.
	Power bool
	// Retention says that it shows only where old data is removed.
	Retention bool
	// Breaks are the rules of which at least one must be found broken.
	Breaks []history.Rule
	// Changes plant it; the zero Fault has none.
	Changes []Change
}

// All returns the known faults.
func All() []Fault {
	return []Fault{
		{
			Name: "no-sync", Title: "the embedded NATS acknowledges before it syncs", Power: true,
			Breaks: []history.Rule{history.AcknowledgedIsStored},
			Changes: []Change{{
				file: "internal/natsd/natsd.go",
				old:  "SyncAlways: true", new: "SyncAlways: false",
			}},
		},
		{
			Name: "early-answer", Title: "a delivery is acknowledged before it is in the ledger",
			Breaks: []history.Rule{history.AcknowledgedIsStored},
			Changes: []Change{{
				file: "services/normalizer/ledger/ledger.go",
				old:  "\tselect {\n\tcase <-e.done:", new: "\treturn Place{Sequence: 1}, nil\n\tselect {\n\tcase <-e.done:",
			}},
		},
		{
			Name: "skipped-event", Title: "an event in a hundred is not published",
			Breaks: []history.Rule{history.ItemIsProjected},
			Changes: []Change{{
				file: "services/normalizer/projector/decide.go",
				old:  "\t\tif e != nil && seen.Cursor > 0 {", new: "\t\tif e != nil && (seen.Cursor > 0 || it.position.GetSequence()%100 == 99) {",
			}},
		},
		{
			Name: "forgotten-repeat", Title: "a repeat is not recognized in one commit in ten",
			// JetStream refuses a message ID that it has seen in the last second, and then nothing goes on.
			Breaks: []history.Rule{history.FactHasOneEvent, history.ProjectionEnds},
			Changes: []Change{{
				file: "services/normalizer/projector/decide.go",
				old:  "\t\tif e != nil && seen.Cursor > 0 {", new: "\t\tif e != nil && seen.Cursor > 0 && it.position.GetSequence()%10 != 9 {",
			}},
		},
		{
			Name: "reused-version", Title: "a version is used twice now and then",
			Breaks: []history.Rule{history.VersionsCount},
			Changes: []Change{{
				file: "services/normalizer/projector/decide.go",
				old:  "\t\tpayment.Advance(state, e)\n\t\tbatch.States[e.GetPayment()] = state\n\t\tbatch.Events = append(batch.Events, e)",
				new:  "\t\tif e.Cursor%100 == 99 {\n\t\t\te.PaymentVersion = 1\n\t\t}\n\t\tpayment.Advance(state, e)\n\t\tbatch.States[e.GetPayment()] = state\n\t\tbatch.Events = append(batch.Events, e)",
			}},
		},
		{
			Name: "late-view", Title: "after a crash the view starts behind what the stream has",
			// It may also notice by itself that view and stream differ, and then it does not start or project.
			Breaks: []history.Rule{history.ViewIsStream, history.FactHasOneEvent, history.VersionsCount, history.StartsAgain, history.ProjectionEnds},
			Changes: []Change{{
				file: "services/normalizer/projector/recover.go",
				old:  "case at.Cursor < extent.Last:", new: "case at.Cursor < extent.Last && extent.Last < 0:",
			}},
		},
		{
			Name: "early-trim", Title: "retention removes what is not projected yet", Retention: true,
			Breaks: []history.Rule{history.TrimmedIsProjected, history.ItemIsProjected, history.StartsAgain, history.ProjectionEnds},
			Changes: []Change{{
				file: "services/normalizer/ledger/trim.go",
				old:  "limit := min(projected+1, int64(info.State.LastSeq))", new: "limit := max(projected+1, int64(info.State.LastSeq))",
			}, {
				file: "services/normalizer/projector/pace.go", // slow enough for what is not projected to be more than what is kept
				old:  "closest  = 7 * time.Millisecond", new: "closest  = 500 * time.Millisecond",
			}, {
				file: "services/normalizer/projector/pace.go",
				old:  "farthest = 15 * time.Millisecond", new: "farthest = 500 * time.Millisecond",
			}, {
				file: "services/normalizer/projector/pace.go",
				old:  "behind = 64", new: "behind = 10_000",
			}},
		},
		{
			Name: "greedy-trim", Title: "retention removes 32 KiB more than it should", Retention: true,
			Breaks: []history.Rule{history.RetentionKeeps},
			Changes: []Change{{
				file: "services/normalizer/ledger/trim.go",
				old:  "for at := first; at < limit && over > 0; at++ {", new: "for at := first; at < limit && over > -32<<10; at++ {",
			}},
		},
		{
			Name: "no-checkpoint", Title: "retention does not write down what it removes", Retention: true,
			Breaks: []history.Rule{history.StartsAgain},
			Changes: []Change{{
				file: "services/normalizer/ledger/trim.go",
				old:  "if err := l.checkpoint.trimmed(anchor); err != nil {", new: "if err := error(nil); err != nil {",
			}},
		},
		{
			Name: "late-checkpoint", Title: "retention writes down what it removes only when that is gone", Retention: true,
			Breaks: []history.Rule{history.StartsAgain},
			Changes: []Change{{
				file: "services/normalizer/ledger/trim.go",
				old:  "if err := l.checkpoint.trimmed(anchor); err != nil {",
				new:  "if err := purge(ctx, l.stream, to); err != nil {\n\t\treturn err\n\t}\n\ttime.Sleep(20 * time.Millisecond)\n\tif err := l.checkpoint.trimmed(anchor); err != nil {",
			}},
		},
	}
}

// Find returns the fault of a name; "" is none.
func Find(name string) (Fault, error) {
	if name == "" {
		return Fault{}, nil
	}
	var names []string
	for _, f := range All() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Fault{}, fmt.Errorf("no fault %q; there are %s", name, strings.Join(names, ", "))
}

// Found returns the violation in err that shows f, nil when there is none.
func (f Fault) Found(err error) *history.Violation {
	var all history.Violations
	if !errors.As(err, &all) {
		return nil
	}
	for _, v := range all {
		if slices.Contains(f.Breaks, v.Rule) {
			return v
		}
	}
	return nil
}
