package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/crash/internal/fault"
	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

func TestMain(m *testing.M) {
	seccomp.Child()
	os.Exit(m.Run())
}

func shortRun(t *testing.T, how string) options {
	t.Helper()
	return options{Dir: t.TempDir(), How: how, Cycles: 3, Seed: 1, Senders: 2, Pause: 5 * time.Millisecond}
}

func TestKilledPaynormKeepsItsPromises(t *testing.T) {
	o := shortRun(t, kill)
	o.Cycles = 20
	for _, o := range rotation(o, half) {
		t.Run(filepath.Base(o.Dir), func(t *testing.T) {
			if err := os.Mkdir(o.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			r, err := crash(t.Context(), o)
			check(t, r, err)
			if o.Retention != (r.History.TrimmedCommits > 0) {
				t.Errorf("retention is %t and removed %d commits", o.Retention, r.History.TrimmedCommits)
			}
		})
	}
}

func TestRotationSharesTheCrashes(t *testing.T) {
	for retention, want := range map[string][]options{
		off:  {{Cycles: 7}},
		on:   {{Cycles: 7, Retention: true}},
		half: {{Cycles: 4, Dir: "all-kept"}, {Cycles: 3, Dir: "retention", Retention: true}},
	} {
		t.Run(retention, func(t *testing.T) {
			if diff := cmp.Diff(want, rotation(options{Cycles: 7}, retention), cmp.AllowUnexported(fault.Change{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// check fails when a promise was not kept, and also when so little happened
// that nothing is proven.
func check(t *testing.T, r *report, err error) {
	t.Helper()
	var text bytes.Buffer
	if err := r.print(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", text.String())
	if err != nil {
		t.Fatal(err)
	}
	h := r.History
	if h.Acknowledged == 0 || h.Events == 0 || h.Repeated == 0 || h.Seen == 0 || r.Sent.Broken == 0 {
		t.Error("too little happened")
	}
}

func TestSameSeedGivesTheSameSchedule(t *testing.T) {
	if diff := cmp.Diff(schedule(7, 100), schedule(7, 100), cmp.AllowUnexported(moment{})); diff != "" {
		t.Error(diff)
	}
	phases := map[phase]int{}
	for _, m := range schedule(7, 100) {
		phases[m.phase]++
	}
	for _, p := range []phase{starting, catchingUp, underLoad, reloading, shuttingOff} {
		if phases[p] == 0 {
			t.Errorf("no crash while %s in 100 cycles", p)
		}
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown way":        {"-how", "melt"},
		"unknown fault":      {"-fault", "melt"},
		"neither on nor off": {"-retention", "melt"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "melt") {
				t.Errorf("%v, want an error that names it", err)
			}
		})
	}
}
