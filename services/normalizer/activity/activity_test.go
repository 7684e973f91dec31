package activity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/activity"
)

var (
	shop  = activity.Endpoint{Provider: "clip", Merchant: "acme"}
	start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
)

func TestReportCountsByEndpointAndKey(t *testing.T) {
	b := activity.NewBook()
	b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"old", "new"})
	b.Authentic(shop, "new", start)
	b.Authentic(shop, "new", start.Add(time.Second))
	b.Authentic(activity.Endpoint{Provider: "clip", Merchant: "stranger"}, "x", start)
	for i := range activity.MaxRefusals + 3 {
		b.Refused(shop, activity.Refusal{Time: start.Add(time.Duration(i) * time.Minute), Remote: "203.0.113.9", Cause: fmt.Sprint(i)})
	}
	got := b.Reports(start)
	if len(got) != 1 {
		t.Fatalf("%d endpoints, want the configured one only", len(got))
	}
	r := got[0]
	if r.Authentic != 2 || r.Refused != activity.MaxRefusals+3 || !r.LastAuthentic.Equal(start.Add(time.Second)) {
		t.Errorf("authentic %d, refused %d, last %s", r.Authentic, r.Refused, r.LastAuthentic)
	}
	want := []activity.Key{{ID: "new", Uses: 2, Last: start.Add(time.Second)}, {ID: "old"}}
	if diff := cmp.Diff(want, r.Keys); diff != "" {
		t.Error(diff)
	}
	if len(r.Refusals) != activity.MaxRefusals || r.Refusals[0].Cause != "22" || r.Refusals[len(r.Refusals)-1].Cause != "3" {
		t.Errorf("%d refusals from %q to %q, want the last %d, newest first", len(r.Refusals), r.Refusals[0].Cause, r.Refusals[len(r.Refusals)-1].Cause, activity.MaxRefusals)
	}
}

func TestReloadKeepsWhatIsKnownOfKeysThatStay(t *testing.T) {
	b := activity.NewBook()
	b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"old"})
	b.Authentic(shop, "old", start)
	b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"old", "new"})
	if diff := cmp.Diff([]activity.Key{{ID: "new"}, {ID: "old", Uses: 1, Last: start}}, b.Reports(start)[0].Keys); diff != "" {
		t.Error(diff)
	}
	b.Keep(map[activity.Endpoint]bool{})
	if got := b.Reports(start); len(got) != 0 {
		t.Errorf("%d endpoints after all were taken out", len(got))
	}
}

// beats sends a webhook every minute from 8 to 20 o'clock on each of days, and
// returns the time of the last one.
func beats(b *activity.Book, days int) time.Time {
	var last time.Time
	for d := range days {
		for m := range 12 * 60 {
			last = start.AddDate(0, 0, d).Add(time.Duration(m) * time.Minute)
			b.Authentic(shop, "k", last)
		}
	}
	return last
}

func TestSilenceIsNoticedByWhatIsUsual(t *testing.T) {
	for _, c := range []struct {
		claim string
		days  int
		after time.Duration
		want  bool
	}{
		{"nothing is usual on the first day", 1, 20 * time.Hour, false},
		{"a night is usual once there was one", 3, 13 * time.Hour, false},
		{"two nights in a row are not", 3, 25 * time.Hour, true},
	} {
		b := activity.NewBook()
		b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"k"})
		last := beats(b, c.days)
		if got := b.Reports(last.Add(c.after))[0].Silent; got != c.want {
			t.Errorf("%s: silent is %t", c.claim, got)
		}
	}
}

func TestSilenceIsReportedOnceAndEnds(t *testing.T) {
	b := activity.NewBook()
	b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"k"})
	last := beats(b, 3)
	late := last.Add(48 * time.Hour)
	if got := b.Changes(late); len(got) != 1 || !got[0].Silent || !got[0].Since.Equal(last) {
		t.Fatalf("changes: %+v", got)
	}
	if got := b.Changes(late.Add(time.Minute)); len(got) != 0 {
		t.Errorf("told again: %+v", got)
	}
	b.Authentic(shop, "k", late.Add(2*time.Minute))
	if got := b.Changes(late.Add(3 * time.Minute)); len(got) != 1 || got[0].Silent {
		t.Errorf("changes after it came back: %+v", got)
	}
	// The outage does not count as what is usual.
	if usual := b.Reports(late)[0].UsualSilence; usual > 13*time.Hour {
		t.Errorf("usual silence is %s", usual)
	}
}

func TestWhatWasUsualAWeekAgoIsForgotten(t *testing.T) {
	b := activity.NewBook()
	b.Configure(shop, eventv1.Mode_MODE_LIVE, []string{"k"})
	last := beats(b, 3)
	for i := range 9 * 24 * 60 {
		b.Authentic(shop, "k", last.Add(time.Duration(i)*time.Minute))
	}
	if got := b.Reports(last)[0].UsualSilence; got != time.Minute {
		t.Errorf("usual silence is %s, want 1m", got)
	}
}
