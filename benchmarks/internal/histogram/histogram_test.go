package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/histogram"
)

func TestQuantileIsAtMostOnePercentAboveTheTrueOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram.Histogram
	var all []time.Duration
	for range 100_000 {
		d := time.Duration(random.ExpFloat64() * float64(2*time.Millisecond))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, .01, .5, .9, .99, .999, 1} {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		if got := h.Quantile(q); got < want || float64(got) > 1.008*float64(want) {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if h.Count() != 100_000 || h.Max() != all[len(all)-1] {
		t.Errorf("count %d and max %v, want 100000 and %v", h.Count(), h.Max(), all[len(all)-1])
	}
}

func TestEachDurationIsFoundAgain(t *testing.T) {
	for shift := range 63 {
		for _, d := range []time.Duration{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			var h histogram.Histogram
			h.Add(d)
			h.Add(math.MaxInt64)
			if got := h.Quantile(.5); got < d || float64(got) > 1.008*float64(d) {
				t.Errorf("%d becomes %d", d, got)
			}
		}
	}
}

func TestNegativeDurationsCountAsZero(t *testing.T) {
	var h histogram.Histogram
	h.Add(-time.Second)
	if h.Count() != 1 || h.Quantile(1) != 0 {
		t.Errorf("count %d, quantile %v", h.Count(), h.Quantile(1))
	}
}

func TestMergeAddsUp(t *testing.T) {
	var a, b, both histogram.Histogram
	for i := range 1000 {
		d := time.Duration(i*i) * time.Microsecond
		both.Add(d)
		if i%3 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	if a.Merge(&b); a != both {
		t.Error("merging two halves does not give the whole")
	}
}

func TestEmptyHistogramHasNoQuantile(t *testing.T) {
	var h histogram.Histogram
	if got := h.Quantile(.5); got != 0 {
		t.Errorf("quantile %v, want 0", got)
	}
}
