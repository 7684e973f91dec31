package main

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/benchmarks/internal/load"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
)

func TestASoakIsDividedIntoStretchesThatMeet(t *testing.T) {
	var all []sample
	for i := range 14 { // a minute apart; from the eighth minute on, each takes twice as much
		n := float64(i + max(0, i-8))
		all = append(all, sample{
			at: time.Unix(int64(i)*60, 0), rss: float64(100+i%3) * (1 << 20), files: 80, goroutines: float64(50 + i),
			cpu: n * 30, deliveries: float64(i) * 60_000,
		})
	}
	got := divide(all)
	if len(got) != stretches || got[0].From != 0 || got[stretches-1].To != 13 {
		t.Fatalf("got %+v", got)
	}
	for i, s := range got {
		if i > 0 && s.From != got[i-1].To {
			t.Errorf("stretch %d begins at minute %v, the one before ends at %v", i, s.From, got[i-1].To)
		}
		if s.Stored != 1000 || s.Files != [2]float64{80, 80} || s.RSS != [2]float64{100, 102} {
			t.Errorf("stretch %d: %+v", i, s)
		}
		if want := [2]float64{50 + s.From, 50 + s.To}; s.Goroutines != want {
			t.Errorf("stretch %d has %v goroutines, want %v", i, s.Goroutines, want)
		}
	}
	if first, last := got[0].CPU, got[stretches-1].CPU; first != 50 || last != 100 {
		t.Errorf("%v CPU-s/100k in the first stretch and %v in the last, want 50 and 100", first, last)
	}
}

// exposition is paynorm's metrics. It says that it was looked at, and fails from the
// look numbered failing on.
func exposition(t *testing.T, failing int) (*server, <-chan struct{}) {
	looked := make(chan struct{}, 100)
	n := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch got := r.URL.Query()["name[]"]; len(got) {
		case 1: // at the end, whether all is projected
			fmt.Fprintln(w, got[0], 0)
			return
		case 5:
		default:
			t.Errorf("asked for %v", got)
		}
		if n++; n >= failing {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprintf(w, "process_resident_memory_bytes 1.048576e+08\nprocess_open_fds 80\ngo_goroutines 50\n"+
			"process_cpu_seconds_total %d\npaynorm_ledger_commit_deliveries_sum %d\npaynorm_ledger_commit_deliveries_count 3\n", n, n*1000)
		select {
		case looked <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(h.Close)
	return &server{metrics: h.URL + "/metrics"}, looked
}

func TestASoakIsWatchedByTheMetrics(t *testing.T) {
	s, looked := exposition(t, math.MaxInt)
	var tr trial
	_, end := tr.watch(t.Context(), s, time.Nanosecond)
	for range 3 * stretches {
		<-looked
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	r := &results{Plan: planOf(t, "-soak=30m"), Trials: []*trial{&tr}}
	rows := strings.Split(strings.TrimSpace(r.stretchRows()), "\n")
	if len(rows) != 1+stretches {
		t.Fatalf("got %q", rows)
	}
	cells := strings.Split(rows[1], "\t")
	if diff := cmp.Diff([]string{"100.0", "100–100", "80–80", "50–50", ""}, cells[2:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASoakThatCannotBeWatchedEndsAndFails(t *testing.T) {
	for _, failing := range []int{1, 2, 3 * stretches} {
		s, _ := exposition(t, failing)
		var tr trial
		ctx, end := tr.watch(t.Context(), s, time.Nanosecond)
		<-ctx.Done() // the load ends with it
		if err := end(); err == nil || !strings.Contains(err.Error(), "418") {
			t.Errorf("failing from look %d on: got %v", failing, err)
		}
	}
}

func TestASoakThatIsTooShortFails(t *testing.T) {
	s, _ := exposition(t, math.MaxInt)
	var tr trial
	_, end := tr.watch(t.Context(), s, time.Hour)
	if err := end(); err == nil {
		t.Errorf("two looks are enough for %d stretches", len(tr.Stretches))
	}
}

func TestASoakIsLoadedWatchedAndWaitedFor(t *testing.T) {
	s, _ := exposition(t, math.MaxInt)
	edge := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(edge.Close)
	s.http = edge.Listener.Addr().String()
	s.process = &process{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}, said: &tail{}}
	b := &bench{plan: plan{Soak: 250 * time.Millisecond, Duration: 250 * time.Millisecond}}
	tr := &trial{System: paynormName, Connections: 2, Rate: 400}
	source := webhook.New(1, webhook.Target{Host: s.http, Token: token, Merchants: []string{"acme"}}, 0)
	result, err := b.load(t.Context(), tr, s, source, load.Clock{Start: time.Now(), Rate: tr.Rate})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Stretches) != stretches || result.Sent() == 0 || len(result.Failures)+len(result.Refusals) > 0 {
		t.Errorf("%d stretches, %d sent, failed %v, refused %v", len(tr.Stretches), result.Sent(), result.Failures, result.Refusals)
	}
}
