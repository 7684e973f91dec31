package projector

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/internal/logtest"
)

// A failure is tried again four times a second, and an outage may take hours.
func TestAnOutageIsToldOnceAMinute(t *testing.T) {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	var log logtest.Buffer
	o := outage{logger: messagesOnly(&log), now: func() time.Time { return now }}
	fail := func(cause string, times int) {
		for range times {
			o.failed(errors.New(cause))
			now = now.Add(retryAfter)
		}
	}
	o.over() // nothing was wrong
	fail("nats is away", 4*70)
	fail("the disk is full", 4*55)
	o.over()
	o.over()
	fail("nats is away", 1)
	o.over()

	want := []string{
		"projection interrupted cause=\"nats is away\"",
		"projection interrupted for=1m0s cause=\"nats is away\"",
		"projection interrupted for=2m0s cause=\"the disk is full\"",
		"projection goes on interrupted_for=2m5s",
		"projection interrupted cause=\"nats is away\"",
		"projection goes on interrupted_for=0s",
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		got = append(got, told(line))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}
