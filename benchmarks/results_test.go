package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/benchmarks/internal/verify"
)

func planOf(t *testing.T, args ...string) plan {
	t.Helper()
	p, err := parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSystemsTakeTurns(t *testing.T) {
	b := &bench{plan: planOf(t, "-rounds=2", "-connections=1, 64")}
	var got []string
	for _, x := range b.trials() {
		got = append(got, fmt.Sprintf("%d %d %.1s %g", x.Round, x.Connections, x.System, x.Rate))
	}
	want := []string{
		"1 1 b 0", "1 1 e 0", "1 1 p 0", "1 64 b 0", "1 64 e 0", "1 64 p 0",
		"2 1 b 0", "2 1 e 0", "2 1 p 0", "2 64 b 0", "2 64 e 0", "2 64 p 0",
		"1 64 b 1000", "1 64 e 1000", "1 64 p 1000", "2 64 b 1000", "2 64 e 1000", "2 64 p 1000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlansThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range []string{
		"-rounds=0", "-rounds=101", "-duration=0s", "-duration=10m", "-connections=", "-connections=0", "-connections=1,x", "-connections=5000",
		"-rate=-1", "-rate=2e6", "-subscriber-rate=-1", "-sync=never", "-subscriber=me", "-providers=aci", "-systems=x", "-systems=paynorm,paynorm", "more",
		"-body=-1", "-body=100", "-body=1048577", "-merchants=0", "-merchants=10001", "-batch=-1", "-batch=1001",
		"-batch=10 -body=2000", "-reads=0", "-reads=x", "-reads=6000000", "-reads=10 -batch=2", "-reads=10 -providers=all", "-providers=all -body=2000", "-providers=all -merchants=2", "-providers=all -batch=1",
		"-soak=59s", "-soak=2h", "-soak=1h -rate=6000", "-soak=5m -reads=10", "-soak=5m -against=old", "-soak=5m -batch=2", "-soak=5m -providers=all", "-soak=5m -rounds=2", "-soak=5m -connections=1,64",
		"-against=old -reads=10", "-against=old -cpuprofile=cpu.prof",
	} {
		if p, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s is accepted: %+v", args, p)
		}
	}
	if _, err := parse([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help gives %v", err)
	}
}

func TestQuickIsShortAndAllProvidersAreForPaynormAlone(t *testing.T) {
	if p := planOf(t, "-quick"); len((&bench{plan: p}).trials()) != 9 || p.Duration != 2*time.Second {
		t.Errorf("quick is %+v", p)
	}
	if p := planOf(t, "-providers=all"); len((&bench{plan: p}).trials()) != 12 || p.SubscriberRate != 0 {
		t.Errorf("all providers is %+v", p)
	}
}

func TestASoakIsOneTrialOfPaynormAlone(t *testing.T) {
	p := planOf(t, "-soak=30m")
	if all := (&bench{plan: p}).trials(); len(all) != 1 || all[0].System != paynormName || all[0].Rate != soakRate || p.Duration != 30*time.Minute {
		t.Errorf("a soak is %+v", p)
	}
	if p := planOf(t, "-soak=1h", "-rate=500", "-connections=256"); p.Rate != 500 || p.Connections[0] != 256 {
		t.Errorf("a soak at 500/s on 256 connections is %+v", p)
	}
}

func TestBatchesAreForPaynormAlone(t *testing.T) {
	p := planOf(t, "-batch=1000", "-merchants=10000")
	if len((&bench{plan: p}).trials()) != 12 || p.SubscriberRate != 0 {
		t.Errorf("batches are %+v", p)
	}
	if p = planOf(t, "-body=1048576", "-merchants=3"); len((&bench{plan: p}).trials()) != 45 {
		t.Errorf("long bodies of three merchants are %+v", p)
	}
}

func TestHeadingSaysWhatIsSent(t *testing.T) {
	for args, want := range map[string]string{
		"":                          "Clip webhooks of about 1 KB",
		"-providers=all":            "webhooks of all providers",
		"-body=4096 -merchants=100": "Clip webhooks of 4096 bytes, merchants: 100",
		"-batch=1":                  "SingleView webhooks, payments in each: 1",
	} {
		r := &results{Plan: planOf(t, strings.Fields(args)...)}
		if got := r.heading(); !strings.HasPrefix(got, want+", closed loop") {
			t.Errorf("%q: %s", args, got)
		}
	}
}

func TestEachMerchantHasAnEndpointThatDeliveriesGoTo(t *testing.T) {
	for args, provider := range map[string]string{"-merchants=3": "clip", "-merchants=3 -batch=2": "singleview"} {
		p, dir := planOf(t, strings.Fields(args)...), t.TempDir()
		endpoints, err := p.endpoints(dir)
		if err != nil {
			t.Fatal(err)
		}
		source, err := (&bench{plan: p}).deliveries(t.Context(), &server{http: "127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range endpoints {
			path := fmt.Sprintf("POST /webhooks/%s/%s?token=%s ", e["provider"], e["merchant"], token)
			if request := source.AppendRequest(nil, uint64(i)); e["provider"] != provider || !strings.HasPrefix(string(request), path) {
				t.Errorf("%s: endpoint %d is %v, and the delivery goes to %.80s", args, i, e, request)
			}
		}
		if len(endpoints) != 3 {
			t.Errorf("%s: %d endpoints", args, len(endpoints))
		}
	}
}

func TestPaymentsOfBatchesHaveTheirOwnFigures(t *testing.T) {
	r := &results{Plan: planOf(t, "-batch=10"), Trials: trials("paynorm", 100, 200, 400)}
	for _, x := range r.Trials {
		x.Payments = &payments{Acknowledged: 10 * x.Throughput, Projected: 3 * x.Throughput}
	}
	r.summarize()
	if diff := cmp.Diff(&payments{Acknowledged: 2000, Projected: 600}, r.Summary[0].Payments); diff != "" {
		t.Error(diff)
	}
	var out strings.Builder
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")
	if diff := cmp.Diff([]string{"64", "2000", "600", "2.0"}, strings.Fields(rows[len(rows)-1])); diff != "" {
		t.Errorf("%s\n%s", diff, out.String())
	}
}

func trials(system string, throughput ...float64) []*trial {
	var all []*trial
	for i, x := range throughput {
		cpu, rss, others := x/10, x/20, 0.
		all = append(all, &trial{
			System: system, Round: i + 1, Connections: 64, Throughput: x, CPU: &cpu, PeakRSS: &rss, Others: &others,
			HTTP: latency{P50: x, P99: 2 * x, P999: 3 * x, Max: 4 * x}, Retries: 1,
		})
	}
	return all
}

func TestSummaryHasMediansAndComparesWithinARound(t *testing.T) {
	r := &results{Trials: append(trials("baseline", 100, 200, 400), trials("paynorm", 300, 200, 1600)...)}
	r.summarize()
	cpu, rss, others := 20., 10., 0.
	paynormCPU, paynormRSS := 30., 15.
	want := []*summary{
		{System: "baseline", Connections: 64, Throughput: 200, HTTP: latency{200, 400, 600, 800}, CPU: &cpu, PeakRSS: &rss, Others: &others, Retries: 3},
		{System: "paynorm", Connections: 64, Throughput: 300, HTTP: latency{300, 600, 900, 1200}, CPU: &paynormCPU, PeakRSS: &paynormRSS, Others: &others, Retries: 3,
			Ratio: &[3]float64{3, 1, 4}},
	}
	if diff := cmp.Diff(want, r.Summary); diff != "" {
		t.Error(diff)
	}
}

func TestTableShowsWhatIsKnownOnly(t *testing.T) {
	r := &results{Plan: planOf(t, "-subscriber-rate=0"), Duration: 5, Trials: trials("paynorm", 123, 123, 123)}
	r.Trials[1].CPU = nil
	r.summarize()
	var out strings.Builder
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}
	row := strings.Fields(out.String()[strings.LastIndex(out.String(), "64  paynorm"):])
	if diff := cmp.Diff([]string{"64", "paynorm", "123", "123.00", "246.00", "369.00", "0.00", "3"}, row); diff != "" {
		t.Errorf("%s\n%s", diff, out.String())
	}
}

func TestReadsHaveARowForEachNumberOfEvents(t *testing.T) {
	p := planOf(t, "-reads=10,2000", "-rounds=3")
	if p.Rate != readRate || p.SubscriberRate != 0 {
		t.Errorf("reads is %+v", p)
	}
	r := &results{Plan: p}
	for round := range 3 {
		for _, n := range p.Reads {
			x := float64(n * (round + 1))
			of := func(k float64) latency { return latency{P50: x + k, P99: 2*x + k} }
			r.Reads = append(r.Reads, &reads{
				Events: n, Asks: n, Nothing: of(1), Payment: of(2), Page: of(3), Trial: &trial{HTTP: of(4)},
			})
		}
	}
	var out strings.Builder
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")
	var got [][]string
	for _, row := range rows[len(rows)-2:] {
		got = append(got, strings.Fields(row))
	}
	want := [][]string{
		{"10", "10", "21.00", "41.00", "22.00", "42.00", "23.00", "43.00", "24.00", "44.00"},
		{"2000", "2000", "4001.00", "8001.00", "4002.00", "8002.00", "4003.00", "8003.00", "4004.00", "8004.00"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, out.String())
	}
}

func TestTrialIsWorthlessWhen(t *testing.T) {
	fine := func() *trial { return &trial{HTTP: latency{Max: 1}, Check: &verify.Report{}} }
	if err := fine().err(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*trial){
		"something was refused":        func(x *trial) { x.Refusals = map[int]int{401: 1} },
		"nothing was acknowledged":     func(x *trial) { x.HTTP.Max = 0 },
		"verification found something": func(x *trial) { x.Check.Problems = []verify.Problem{{What: "x"}} },
	} {
		x := fine()
		if spoil(x); x.err() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{1: {1}, 1.5: {2, 1}, 2: {9, 1, 2}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
}

func TestMetricIsFoundByItsWholeName(t *testing.T) {
	text := []byte("# HELP lag x\nlag_total 4\nlag{a=\"b\"} 5\nlag 6\n")
	if got, err := figure(text, "lag"); err != nil || got != 6 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := figure(text, "la"); err == nil {
		t.Error("there is no metric la")
	}
}
