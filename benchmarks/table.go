package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// disturbed is how many CPUs other programs may use before the figures suffer.
const disturbed = .2

// table writes the medians for people.
func (r *results) table(w io.Writer) error {
	if _, err := io.WriteString(w, r.heading()); err != nil {
		return err
	}
	if r.Plan.Reads != nil {
		return align(w, r.reads())
	}
	if r.Plan.Against != "" {
		return align(w, r.againstRows())
	}
	if err := align(w, r.comparison()); err != nil {
		return err
	}
	if r.Plan.Batch > 0 {
		if _, err := fmt.Fprintf(w, "\nPayments, %d in each webhook\n\n", r.Plan.Batch); err != nil {
			return err
		}
		if err := align(w, r.payments()); err != nil {
			return err
		}
	}
	if r.Plan.Soak != 0 {
		if _, err := io.WriteString(w, "\nThe soak in stretches, lowest to highest\n\n"); err != nil {
			return err
		}
		return align(w, r.stretchRows())
	}
	if r.Plan.SubscriberRate == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nFrom HTTP to a subscriber (%s), open loop at %.0f/s on %d connections, from when a delivery was due\n\n",
		r.Plan.Subscriber, r.Plan.SubscriberRate, subscriberConnections)
	if err != nil {
		return err
	}
	return align(w, r.subscribers())
}

func (r *results) heading() string {
	load := "closed loop"
	if r.Plan.Rate > 0 {
		load = fmt.Sprintf("open loop at %.0f/s", r.Plan.Rate)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s; rounds: %d of %gs, medians\n", r.Plan.sent(), load, r.Plan.Rounds, r.Duration)
	fmt.Fprintf(&b, "%d CPUs for all, %s/%s, %s; a synced write of 4 KiB takes %.2f ms; the baseline syncs: %s\n",
		r.Machine.CPUs, r.Machine.OS, r.Machine.Arch, r.Machine.Go, r.Machine.Fsync, r.Plan.Sync)
	if r.Machine.Fsync < .02 {
		fmt.Fprintln(&b, "NOTE: the disk syncs in next to no time. Is it one? See -dir.")
	}
	if r.Plan.Rounds < 3 && r.Plan.Soak == 0 {
		fmt.Fprintln(&b, "NOTE: fewer than three rounds; take this as a look, not as a figure.")
	}
	if slices.ContainsFunc(r.Summary, func(s *summary) bool { return s.Others != nil && *s.Others > disturbed }) {
		fmt.Fprintln(&b, "NOTE: other programs used much CPU meanwhile (column others); compare within a round only.")
	}
	return b.String() + "\n"
}

// sent says what is sent.
func (p plan) sent() string {
	what := "Clip webhooks of about 1 KB"
	switch {
	case p.Providers == "all":
		what = "webhooks of all providers"
	case p.Batch > 0:
		what = fmt.Sprintf("SingleView webhooks, payments in each: %d", p.Batch)
	case p.Body > 0:
		what = fmt.Sprintf("Clip webhooks of %d bytes", p.Body)
	}
	if p.Merchants > 1 {
		what += fmt.Sprintf(", merchants: %d", p.Merchants)
	}
	return what
}

// comparison has a row for each system and number of connections.
func (r *results) comparison() string {
	var b strings.Builder
	fmt.Fprintln(&b, "connections\tsystem\tacked/s\tp50 ms\tp99 ms\tp99.9 ms\tCPU-s/100k\tpeak MiB\tdrain s\tretries\tothers\tratio to baseline\t")
	for _, s := range r.Summary {
		if !s.Subscribed {
			fmt.Fprintf(&b, "%d\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%s\t%s\t%.2f\t%d\t%s\t%s\t\n", s.Connections, s.System, s.Throughput,
				s.HTTP.P50, s.HTTP.P99, s.HTTP.P999, known(s.CPU, 1), known(s.PeakRSS, 0), s.Drain, s.Retries, known(s.Others, 2), s.ratio())
		}
	}
	return b.String()
}

// reads has a row for each number of events.
func (r *results) reads() string {
	var b strings.Builder
	fmt.Fprintln(&b, "events\tasks\tempty call p50 ms\tp99 ms\tpayment p50 ms\tp99 ms\tpage p50 ms\tp99 ms\twebhook p50 ms\tp99 ms\tpeak MiB\t")
	for _, n := range r.Plan.Reads {
		var of []*reads
		for _, m := range r.Reads {
			if m.Events == n {
				of = append(of, m)
			}
		}
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%d\t%.0f", n, medianOf(of, func(m *reads) float64 { return float64(m.Asks) }))
		for _, kind := range []func(m *reads) latency{
			func(m *reads) latency { return m.Nothing }, func(m *reads) latency { return m.Payment },
			func(m *reads) latency { return m.Page }, func(m *reads) latency { return m.Trial.HTTP },
		} {
			fmt.Fprintf(&b, "\t%.2f\t%.2f",
				medianOf(of, func(m *reads) float64 { return kind(m).P50 }), medianOf(of, func(m *reads) float64 { return kind(m).P99 }))
		}
		fmt.Fprintf(&b, "\t%s\t\n", known(of[len(of)-1].Trial.PeakRSS, 0))
	}
	return b.String()
}

// payments has a row for each number of connections.
func (r *results) payments() string {
	var b strings.Builder
	fmt.Fprintln(&b, "connections\tacked/s\tprojected/s\tCPU-s/100k\t")
	for _, s := range r.Summary {
		var cpu *float64
		if s.CPU != nil {
			each := *s.CPU / float64(r.Plan.Batch)
			cpu = &each
		}
		fmt.Fprintf(&b, "%d\t%.0f\t%.0f\t%s\t\n", s.Connections, s.Payments.Acknowledged, s.Payments.Projected, known(cpu, 1))
	}
	return b.String()
}

// subscribers has a row for each system.
func (r *results) subscribers() string {
	var b strings.Builder
	fmt.Fprintln(&b, "system\tacked/s\tacknowledged p50 ms\tp99 ms\tp99.9 ms\tevent p50 ms\tp99 ms\tp99.9 ms\tCPU-s/100k\tothers\t")
	for _, s := range r.Summary {
		if s.Subscribed {
			fmt.Fprintf(&b, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\t\n", s.System, s.Throughput,
				s.HTTP.P50, s.HTTP.P99, s.HTTP.P999, s.Events.P50, s.Events.P99, s.Events.P999, known(s.CPU, 1), known(s.Others, 2))
		}
	}
	return b.String()
}

// align writes cells that end with tabs as columns.
func align(w io.Writer, cells string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(t, cells); err != nil {
		return err
	}
	return t.Flush()
}

func known(figure *float64, decimals int) string {
	if figure == nil {
		return ""
	}
	return fmt.Sprintf("%.*f", decimals, *figure)
}

func (s *summary) ratio() string {
	if s.Ratio == nil {
		return ""
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Ratio[0], s.Ratio[1], s.Ratio[2])
}
