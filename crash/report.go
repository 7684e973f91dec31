package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/paynorm/paynorm/crash/internal/history"
	"github.com/paynorm/paynorm/crash/internal/powercut"
	"github.com/paynorm/paynorm/crash/internal/sender"
)

// report is what is told of a run, whether it went well or not.
type report struct {
	options
	Took, Load time.Duration // of all; of the cycles
	Crashes    map[phase]int
	Recovery   []time.Duration // from the start of the process until it takes webhooks
	Sent       sender.Figures
	History    history.Figures
	Cut        powercut.Cut    // the sum over all power cuts
	Spells     int             // how often the disk was full or slow
	Writes     int             // that a full disk refused
	Relief     []time.Duration // from the end of a spell until a webhook is acknowledged
}

func newReport(o options) *report { return &report{options: o, Crashes: map[phase]int{}} }

func (r *report) print(w io.Writer) error {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s "+format+"\n", append([]any{what}, args...)...)
	}
	line("seed", "%d", r.Seed)
	if r.Fault.Name != "" {
		line("fault", "%s: %s", r.Fault.Name, r.Fault.Title)
	}
	total := 0
	var parts []string
	for _, p := range phases() {
		if n := r.Crashes[p]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, p))
		}
	}
	line("crashes", "%d by %s: %s", total, r.How, strings.Join(parts, ", "))
	line("took", "%v, of which %v under load", r.Took.Round(time.Millisecond), r.Load.Round(time.Millisecond))
	line("recovery", "%s", percentiles(r.Recovery, "starts"))
	if r.How == power {
		line("power cuts", "took %d bytes and %d names that were not synced; %d bytes and %d names survived by luck",
			r.Cut.LostBytes, r.Cut.LostNames, r.Cut.LuckBytes, r.Cut.LuckNames)
	}
	if r.How == full || r.How == slow {
		line("disk", "%s %d times; %d writes refused", r.How, r.Spells, r.Writes)
		line("relief", "%s, until a webhook is acknowledged again", percentiles(r.Relief, "spells"))
	}
	line("sent", "%d requests with %d bodies: %d acknowledged, %d refused (503), %d without an answer",
		r.Sent.Attempts, r.Sent.Deliveries, r.Sent.Acknowledged, r.Sent.Refused, r.Sent.Broken)
	line("ledger", "%d deliveries in %d commits", r.History.Stored, r.History.Commits)
	if r.Retention {
		line("retention", "removed %d commits and %d messages of the event stream", r.History.TrimmedCommits, r.History.TrimmedMessages)
	}
	line("events", "%d of %d payments, and %d notices of quarantine; %d repeats gave none",
		r.History.Events, r.History.Payments, r.History.Notices, r.History.Repeated)
	line("subscriber", "saw %d messages, %d of them again", r.History.Seen, r.History.Redelivered)
	line("lost", "%d acknowledged deliveries, %d messages that the subscriber saw; it missed %d",
		r.History.Lost, r.History.Undone, r.History.Unseen)
	_, err := io.WriteString(w, b.String())
	return err
}

func percentiles(all []time.Duration, of string) string {
	if len(all) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(p int) time.Duration {
		return sorted[min(len(sorted)*p/100, len(sorted)-1)].Round(time.Millisecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, worst %v, of %d %s", at(50), at(99), at(100), len(all), of)
}
