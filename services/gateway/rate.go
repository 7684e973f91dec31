package gateway

import (
	"hash/maphash"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// endpointBuckets and addressBuckets bound what is remembered. What falls into
	// one bucket shares its rate; the seed keeps strangers from choosing with whom.
	endpointBuckets = 1 << 10
	addressBuckets  = 1 << 14
	// spare is the part of the slots that one endpoint leaves to the others: a quarter.
	spare = 4
)

// Rate is how many webhooks are taken. The zero value is any number.
type Rate struct {
	PerSecond float64
	Burst     int // how many at once
}

// limits keeps one sender or endpoint from taking what others need.
type limits struct {
	seed      maphash.Seed
	endpoints *buckets // nil: any number
	addresses *buckets
	share     int

	mu   sync.Mutex
	busy [endpointBuckets]int // webhooks in work
}

func newLimits(o Options) *limits {
	l := &limits{seed: maphash.MakeSeed(), share: o.MaxConcurrentWebhooks - o.MaxConcurrentWebhooks/spare}
	l.endpoints, l.addresses = newBuckets(o.EndpointRate, endpointBuckets), newBuckets(o.AddressRate, addressBuckets)
	return l
}

// admit takes a webhook for path from sender at now, or does not. done must be
// called when a webhook that was taken is answered.
func (l *limits) admit(path, sender string, now time.Time) (done func(), ok bool) {
	if !l.addresses.allow(maphash.String(l.seed, network(sender)), now) {
		return nil, false
	}
	key := maphash.String(l.seed, path)
	if !l.endpoints.allow(key, now) {
		return nil, false
	}
	busy := &l.busy[key%endpointBuckets]
	l.mu.Lock()
	defer l.mu.Unlock()
	if *busy >= l.share {
		return nil, false
	}
	*busy++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		*busy--
	}, true
}

// network is what counts as one sender: an address, or an IPv6 network of 64
// bits, which one host may have for itself.
func network(sender string) string {
	address, ok := hopAddress(sender)
	if !ok || address.Is4() {
		return address.String()
	}
	wide, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return wide.Addr().String()
}

// buckets are rates that keys share by their hash.
type buckets struct {
	rate Rate

	mu   sync.Mutex
	list []*rate.Limiter // nil until one is needed
}

func newBuckets(r Rate, n int) *buckets {
	if r.PerSecond <= 0 {
		return nil
	}
	return &buckets{rate: r, list: make([]*rate.Limiter, n)}
}

func (b *buckets) allow(key uint64, now time.Time) bool {
	if b == nil {
		return true
	}
	n := key % uint64(len(b.list))
	b.mu.Lock()
	if b.list[n] == nil {
		b.list[n] = rate.NewLimiter(rate.Limit(b.rate.PerSecond), max(1, b.rate.Burst))
	}
	limiter := b.list[n]
	b.mu.Unlock()
	return limiter.AllowN(now, 1)
}

// limited answers a webhook over a limit as an overloaded edge does, which
// providers take for "later".
func limited(a *answer, r *http.Request, limit int64) {
	drain(r, limit)
	writeProblem(a, problem{Status: http.StatusServiceUnavailable, Reason: "RATE_LIMITED", Domain: reasonDomain, retryAfter: "1"})
}

// reasonDomain is the domain of reasons that the edge itself gives.
const reasonDomain = "paynorm.dev"
