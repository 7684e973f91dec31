package activity

import "time"

const (
	// days is how far back the longest silence is looked for: a week, so that a
	// quiet Sunday is not news on the next one.
	days = 7
	// learnFor is how long an endpoint is observed before its silence means something: a
	// night has to be among what is usual.
	learnFor = 24 * time.Hour
	// learnFrom is how many webhooks it takes: who sends three a day has no rhythm yet.
	learnFrom = 20
	// unusual is how many times the usual silence is too long.
	unusual = 2
	// least is the shortest silence that is worth a word.
	least = 5 * time.Minute
)

// rhythm learns how long an endpoint is usually silent: the longest time between two
// webhooks within the last week, kept by day.
type rhythm struct {
	first, last time.Time
	count       int64
	longest     [days]time.Duration // by the number of the day modulo days
	day         int64               // of the newest entry of longest
}

// beat takes note of a webhook. Times may be slightly out of order.
func (r *rhythm) beat(at time.Time) {
	r.count++
	if r.first.IsZero() {
		r.first, r.last, r.day = at, at, dayOf(at)
		return
	}
	if !at.After(r.last) {
		return
	}
	gap := at.Sub(r.last)
	if r.silence(gap) { // an outage is not what is usual from now on
		gap = 0
	}
	r.last = at
	today := dayOf(at)
	for ; r.day < today; r.day++ {
		if today-r.day <= days {
			r.longest[(r.day+1)%days] = 0
		}
	}
	slot := &r.longest[today%days]
	*slot = max(*slot, gap)
}

func dayOf(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }

// usual returns the longest silence that is usual, 0 while it is not known.
func (r *rhythm) usual() time.Duration {
	if r.count < learnFrom || r.last.Sub(r.first) < learnFor {
		return 0
	}
	longest := time.Duration(0)
	for _, d := range r.longest {
		longest = max(longest, d)
	}
	return longest
}

// silent reports whether nothing has come for unusually long.
func (r *rhythm) silent(now time.Time) bool { return r.silence(now.Sub(r.last)) }

func (r *rhythm) silence(gap time.Duration) bool {
	usual := r.usual()
	return usual > 0 && gap > max(unusual*usual, least)
}
