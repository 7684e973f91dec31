package main

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRatiosAreEstimatedByTheirGeometricMean(t *testing.T) {
	for _, c := range []struct {
		ratios []float64
		want   estimate
	}{
		{[]float64{2}, estimate{Mean: 2}},
		{[]float64{.9, .9, .9}, estimate{Mean: .9}},
		{[]float64{4, 1}, estimate{Mean: 2, Error: math.Ln2}},
		{[]float64{1 / math.E, 1, math.E}, estimate{Mean: 1, Error: 1 / math.Sqrt(3)}},
	} {
		got := estimated(c.ratios)
		if math.Abs(got.Mean-c.want.Mean) > 1e-9 || math.Abs(got.Error-c.want.Error) > 1e-9 {
			t.Errorf("%v are estimated as %+v, want %+v", c.ratios, *got, c.want)
		}
	}
}

func TestTrialsThatAreMeasuredAtOnceWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, began := newMeeting(2), time.Now()
		arrive := func(after time.Duration) <-chan time.Duration {
			done := make(chan time.Duration, 2)
			go func() {
				for range 2 { // they meet twice
					time.Sleep(after)
					if err := m.wait(t.Context()); err != nil {
						t.Error(err)
					}
					done <- time.Since(began)
				}
			}()
			return done
		}
		first, second := arrive(time.Second), arrive(3*time.Second)
		for i, want := range []time.Duration{3 * time.Second, 6 * time.Second} {
			if a, b := <-first, <-second; a != want || b != want {
				t.Errorf("meeting %d ends after %v and %v, want %v", i+1, a, b, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits for one that does not come gets %v", err)
		}
	})
	if err := (*meeting)(nil).wait(t.Context()); err != nil {
		t.Errorf("who is alone gets %v", err)
	}
}

func TestTwoProgramsAreComparedRoundByRound(t *testing.T) {
	of := func(cpu, rss float64) *trial {
		return &trial{Connections: 64, Throughput: 5000, CPU: &cpu, PeakRSS: &rss, Others: &cpu}
	}
	a := &against{Connections: 64, Rounds: [][2]*trial{{of(9, 130), of(10, 120)}, {of(18, 130), of(20, 120)}}}
	a.summarize()
	r := &results{Plan: planOf(t, "-against=old", "-rounds=2"), Against: []*against{a, {Connections: 256}}} // 256 has failed
	var table strings.Builder
	if err := r.table(&table); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(table.String()), " ")
	const want = "64 paynorm 5000 0.00 0.00 13.5 130 0.00 0.900 ± 0.000 1.083 ± 0.000 64 the other 5000 0.00 0.00 15.0 120 0.00"
	if !strings.HasSuffix(got, want) {
		t.Errorf("the table is\n%s\nwant at its end\n%s", table.String(), want)
	}
	a.Rounds[1][1].CPU = nil
	if a.CPU = nil; a.CPU.String() != "" {
		t.Error("a ratio is shown that is not known")
	}
	if a.summarize(); a.CPU != nil {
		t.Error("a ratio is made of what is not known")
	}
}
