// Package fault builds paynorm with a fault planted, to prove that the harness
// finds it. The source is not touched: go build is told to read the changed
// files from elsewhere.
package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	// Breaks are the rules of which at least one must be found broken.
	Breaks []history.Rule

	file     string // in the module
	old, new string // old stands in file exactly once
}

// All returns the known faults.
func All() []Fault {
	return []Fault{
		{
			Name: "no-sync", Title: "the embedded NATS acknowledges before it syncs", Power: true,
			Breaks: []history.Rule{history.AcknowledgedIsStored},
			file:   "internal/natsd/natsd.go", old: "SyncAlways: true", new: "SyncAlways: false",
		},
		{
			Name: "early-answer", Title: "a delivery is acknowledged before it is in the ledger",
			Breaks: []history.Rule{history.AcknowledgedIsStored},
			file:   "services/normalizer/ledger/ledger.go",
			old:    "\tselect {\n\tcase <-e.done:", new: "\treturn Place{Sequence: 1}, nil\n\tselect {\n\tcase <-e.done:",
		},
		{
			Name: "skipped-event", Title: "an event in a hundred is not published",
			Breaks: []history.Rule{history.ItemIsProjected},
			file:   "services/normalizer/projector/decide.go",
			old:    "\t\tif e != nil && seen.Cursor > 0 {", new: "\t\tif e != nil && (seen.Cursor > 0 || it.position.GetSequence()%100 == 99) {",
		},
		{
			Name: "forgotten-repeat", Title: "a repeat is not recognized in one commit in ten",
			// JetStream refuses a message ID that it has seen in the last two minutes, and then nothing goes on.
			Breaks: []history.Rule{history.FactHasOneEvent, history.ProjectionEnds},
			file:   "services/normalizer/projector/decide.go",
			old:    "\t\tif e != nil && seen.Cursor > 0 {", new: "\t\tif e != nil && seen.Cursor > 0 && it.position.GetSequence()%10 != 9 {",
		},
		{
			Name: "reused-version", Title: "a version is used twice now and then",
			Breaks: []history.Rule{history.VersionsCount},
			file:   "services/normalizer/projector/decide.go",
			old:    "\t\tpayment.Advance(state, e)\n\t\tbatch.States[e.GetPayment()] = state\n\t\tbatch.Events = append(batch.Events, e)",
			new:    "\t\tif e.Cursor%100 == 99 {\n\t\t\te.PaymentVersion = 1\n\t\t}\n\t\tpayment.Advance(state, e)\n\t\tbatch.States[e.GetPayment()] = state\n\t\tbatch.Events = append(batch.Events, e)",
		},
		{
			Name: "late-view", Title: "after a crash the view starts behind what the stream has",
			Breaks: []history.Rule{history.ViewIsStream, history.FactHasOneEvent, history.VersionsCount},
			file:   "services/normalizer/projector/recover.go",
			old:    "case at.Cursor < extent.Last:", new: "case at.Cursor < extent.Last && extent.Last < 0:",
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

// Build builds the program at program from the module at root, with f in it.
func (f Fault) Build(ctx context.Context, root, program string) error {
	args := []string{"build", "-o", program}
	if f.Name != "" {
		overlay, err := f.overlay(root, filepath.Dir(program))
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/paynorm")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// overlay writes the changed file, and the list that go build reads.
func (f Fault) overlay(root, dir string) (list string, err error) {
	text, err := f.Apply(root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, f.Name+".go.txt")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{f.path(root): changed}})
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, f.Name+".json")
	return list, os.WriteFile(list, data, 0o600)
}

func (f Fault) path(root string) string { return filepath.Join(root, filepath.FromSlash(f.file)) }

// Apply returns the changed source of the module at root. It is an error when
// the source is not what f expects.
func (f Fault) Apply(root string) (string, error) {
	text, err := os.ReadFile(f.path(root))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), f.old); n != 1 {
		return "", fmt.Errorf("fault %s: %s has %d places like %q, want 1: bring the fault up to date with the source", f.Name, f.file, n, f.old)
	}
	return strings.Replace(string(text), f.old, f.new, 1), nil
}

// Root returns the folder of paynorm's source.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/paynorm/paynorm").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
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
