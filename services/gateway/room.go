package gateway

import (
	"net/http"
	"sync/atomic"
)

// room bounds the memory of the bodies in work.
type room struct{ left atomic.Int64 } // bytes

// take reserves n bytes; false when there is no room for them.
func (r *room) take(n int64) bool {
	for {
		left := r.left.Load()
		if n > left {
			return false
		}
		if r.left.CompareAndSwap(left, left-n) {
			return true
		}
	}
}

func (r *room) give(n int64) { r.left.Add(n) }

// claim is how many bytes the body of r may need: its length where that is
// known and within the limit, nothing where it will not be read at all.
func claim(r *http.Request, limit int64) int64 {
	switch {
	case r.ContentLength > limit:
		return 0
	case r.ContentLength >= 0:
		return r.ContentLength
	}
	return limit
}

// overloaded answers a webhook that there is no room for. Its body is taken in
// and thrown away, so that senders that write all before they read get the answer.
func overloaded(a *answer, r *http.Request, limit int64) {
	drain(r, limit)
	writeProblem(a, problem{Status: http.StatusServiceUnavailable, retryAfter: "1"})
}
