package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/serve/servetest"
)

// onWaiting does something once the subscriber has told that it waits.
type onWaiting func()

func (do onWaiting) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "waiting for") {
		do()
	}
	return len(p), nil
}

// id is what differs from run to run in a line.
var id = regexp.MustCompile(`(events/e|quarantined/)[a-z0-9-]+`)

func lines(out bytes.Buffer) string { return id.ReplaceAllString(out.String(), "$1…") }

func TestEachMessageIsOneLine(t *testing.T) {
	site := servetest.Start(t, nil)
	site.Clip(t, "p0", "COMPLETED", 0)
	awaitEvent(t, site) // the webhook is answered before its event is published
	var stdout bytes.Buffer
	sent := onWaiting(func() {
		site.Clip(t, "p1", "CREATED", 1)
		site.Clip(t, "p1", "COMPLETED", 3)
		site.Clip(t, "p1", "EXPIRED", 2)
		site.Clip(t, "p2", "NO_SUCH_STATUS", 1)
		site.Clip(t, "p\u00853", "CREATED", 1) // with a control character
	})
	if err := run(t.Context(), []string{"-s", site.NATS, "-n", "5", "*.v1.live.>", "quarantine.v1.>"}, &stdout, sent); err != nil {
		t.Fatal(err)
	}
	want := `payments.v1.live.clip.acme.payment.pending events/e… p1
payments.v1.live.clip.acme.payment.paid events/e… p1
observations.v1.live.clip.acme.payment.expired events/e… p1
quarantine.v1.clip.acme quarantined/… QUARANTINE_REASON_UNMAPPED
payments.v1.live.clip.acme.payment.pending events/e… p 3
`
	if diff := cmp.Diff(want, lines(stdout)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// awaitEvent returns when the first event is published.
func awaitEvent(t *testing.T, site *servetest.Site) {
	t.Helper()
	resp, err := http.Get(site.HTTP + "/v1/events:watch?after_cursor=0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatalf("%v after %q", err, line)
	}
}

func TestNamedSubscriberGoesOnWhereItWas(t *testing.T) {
	site := servetest.Start(t, map[string]any{"events": map[string]any{"encoding": "json"}})
	site.Clip(t, "p1", "COMPLETED", 1)
	site.Clip(t, "p2", "COMPLETED", 1)
	for _, payment := range []string{"p1", "p2"} {
		var stdout bytes.Buffer
		if err := run(t.Context(), []string{"-s", site.NATS, "-n", "1", "-json", "-durable", "books"}, &stdout, io.Discard); err != nil {
			t.Fatal(err)
		}
		event := &eventv1.PaymentStatusChanged{}
		if err := protojson.Unmarshal(stdout.Bytes(), event); err != nil {
			t.Fatalf("%v in %q", err, stdout.String())
		}
		if event.GetProviderPaymentId() != payment {
			t.Errorf("got %s, want %s", event.GetProviderPaymentId(), payment)
		}
	}
}

func TestInterruptEndsItWithoutError(t *testing.T) {
	site := servetest.Start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	if err := run(ctx, []string{"-s", site.NATS}, io.Discard, onWaiting(cancel)); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestWhatGoesWrongIsSaid(t *testing.T) {
	site := servetest.Start(t, nil)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"full disk", []string{"-s", site.NATS}, "no space"},
		{"no server", []string{"-s", "nats://127.0.0.1:1"}, "connect to nats://127.0.0.1:1: nats: no servers available for connection"},
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
	} {
		err := run(t.Context(), tt.args, full{}, onWaiting(func() { site.Clip(t, "p1", "COMPLETED", 1) }))
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), tt.want) {
			t.Errorf("%s: got %v, want %s…", tt.name, err, tt.want)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); err != nil {
		t.Errorf("help: %v", err)
	}
}

func TestWhatWasPublishedBeforeIsReplayed(t *testing.T) {
	site := servetest.Start(t, nil)
	site.Clip(t, "p1", "CREATED", 1)
	site.Clip(t, "p1", "COMPLETED", 2)
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-s", site.NATS, "-n", "2", "-since", "1h"}, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := "payments.v1.live.clip.acme.payment.pending events/e… p1\npayments.v1.live.clip.acme.payment.paid events/e… p1\n"
	if diff := cmp.Diff(want, lines(stdout)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
