package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		if s.Acknowledged != 1000 || s.Files != [2]float64{80, 80} || s.RSS != [2]float64{100, 102} {
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

// exposition is paynorm's metrics after n looks at them, and says that there was one.
func exposition(t *testing.T, looked chan<- struct{}) *server {
	n := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := len(r.URL.Query()["name[]"]); got != 5 {
			t.Errorf("asked for %d metrics", got)
		}
		n++
		fmt.Fprintf(w, "process_resident_memory_bytes 1.048576e+08\nprocess_open_fds 80\ngo_goroutines 50\n"+
			"process_cpu_seconds_total %d\npaynorm_ledger_commit_deliveries_sum %d\npaynorm_ledger_commit_deliveries_count 3\n", n, n*1000)
		select {
		case looked <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(h.Close)
	return &server{metrics: h.URL + "/metrics"}
}

func TestASoakIsWatchedByTheMetrics(t *testing.T) {
	looked := make(chan struct{})
	s := exposition(t, looked)
	var tr trial
	end := tr.watch(t.Context(), s, time.Nanosecond)
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

func TestASoakThatCannotBeWatchedFails(t *testing.T) {
	looked := make(chan struct{})
	s := exposition(t, looked)
	var tr trial
	end := tr.watch(t.Context(), s, time.Hour)
	<-looked
	if err := end(); err == nil {
		t.Error("one sample is enough")
	}
	end = tr.watch(t.Context(), &server{metrics: s.metrics + "%"}, time.Hour)
	if err := end(); err == nil {
		t.Error("no metrics are enough")
	}
}
