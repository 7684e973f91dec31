// Package histogram counts durations in log-linear buckets: 128 steps in each
// power of two of nanoseconds, so that a quantile is at most 0.8 % above the
// true one, from a nanosecond to centuries, in constant memory.
package histogram

import (
	"math"
	"math/bits"
	"time"
)

const (
	stepBits = 7
	steps    = 1 << stepBits
	buckets  = (64 - stepBits) * steps
)

// Histogram is ready for use as it is. It belongs to one goroutine.
type Histogram struct {
	count  uint64
	max    time.Duration
	bucket [buckets]uint64
}

// Add counts d; what is below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.bucket[bucketOf(uint64(d))]++
	h.count++
	h.max = max(h.max, d)
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.bucket {
		h.bucket[i] += n
	}
	h.count += o.count
	h.max = max(h.max, o.max)
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 { return h.count }

// Max returns the longest duration, exactly; 0 when there is none.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile returns the duration that the share q (0 to 1) of all durations does
// not exceed; 0 when there is none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(q*float64(h.count))))
	var seen uint64
	for i, n := range h.bucket {
		if seen += n; seen >= rank {
			return min(time.Duration(highest(i)), h.max)
		}
	}
	return h.max
}

// bucketOf returns the bucket that v falls into. Values below steps have one each.
func bucketOf(v uint64) int {
	if v < steps {
		return int(v)
	}
	shift := bits.Len64(v) - stepBits - 1
	return shift*steps + int(v>>shift)
}

// highest returns the largest value of a bucket.
func highest(bucket int) uint64 {
	if bucket < 2*steps {
		return uint64(bucket)
	}
	shift := bucket/steps - 1
	return uint64(bucket-shift*steps+1)<<shift - 1
}
